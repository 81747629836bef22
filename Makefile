# `make` lists the targets.

CARGO ?= cargo
RUSTFMT ?= rustfmt
PREFIX ?= /usr/local
DESTDIR ?=

TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
BINARY := $(TARGET_DIR)/release/sandsweep
SHELL_SCRIPTS := scripts/setup.sh .ci/run
# How long to wait for the advisory database, in seconds.
FETCH_TIMEOUT := 120

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup build demo test lint lint-fmt lint-shell lint-clippy lint-doc lint-deny bench install clean

help: ## List the targets
	@echo 'usage: make TARGET'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1:\2/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS=: read -r target does; do printf '  %-8s %s\n' "$$target" "$$does"; done

setup: ## Install what is missing: bubblewrap, interpreters, a C linker
	@scripts/setup.sh

build: ## Build the release binary
	$(CARGO) build --release --locked

demo: setup build ## Set up, build, and sweep the example corpus
	@echo '$(BINARY) run corpus/examples'; \
	status=0; $(BINARY) run corpus/examples || status=$$?; \
	echo 'demo: look at reports/latest: summary.csv, sweep.json, charts/ and, for each script, cases/'; \
	exit $$status

test: ## Run all tests
	@scripts/setup.sh --with test
	$(CARGO) test --release --locked --no-fail-fast

lint: lint-fmt lint-shell lint-clippy lint-doc lint-deny ## Check format, lints, documentation, licences and advisories

# build.rs compiles the sandbox's init by itself, so cargo fmt does not see it.
lint-fmt:
	$(CARGO) fmt --check
	$(RUSTFMT) --check --edition 2024 src/sandbox/init/*.rs

lint-shell:
	@if command -v shellcheck >/dev/null; then \
		echo 'shellcheck $(SHELL_SCRIPTS)'; shellcheck $(SHELL_SCRIPTS); \
	else \
		echo 'lint: SKIPPED: shell scripts, because shellcheck is not installed'; \
	fi

lint-clippy:
	$(CARGO) clippy --all-targets --locked -- -D warnings

lint-doc:
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --no-deps --locked

# Advisories need a database from GitHub. Without it the rest still counts.
lint-deny:
	@$(CARGO) deny --version >/dev/null 2>&1 || { \
		echo 'lint: cargo-deny is missing; get it with: $(CARGO) install cargo-deny --locked' >&2; exit 1; }
	$(CARGO) deny --locked check bans licenses sources
	@if why=$$(GIT_TERMINAL_PROMPT=0 timeout $(FETCH_TIMEOUT) $(CARGO) deny --locked fetch db 2>&1); then \
		echo '$(CARGO) deny --locked check advisories'; $(CARGO) deny --locked check advisories; \
	else \
		why=$$(printf '%s\n' "$$why" | sed '/^[[:space:]]*$$/d' | tail -n 1); \
		echo "lint: SKIPPED: advisories, because their database cannot be fetched:" \
			"$${why:-no answer in $(FETCH_TIMEOUT) s}"; \
	fi

bench: setup ## Run the benchmarks
	$(CARGO) bench --locked

install: $(BINARY) ## Install binary, manual page and completions below PREFIX (/usr/local)
	@set -e; file=$$(mktemp); trap 'rm -f "$$file"' EXIT; \
	put() { install -D -m "$$1" "$$2" "$(DESTDIR)$(PREFIX)/$$3"; echo "install: $(DESTDIR)$(PREFIX)/$$3"; }; \
	put 755 $(BINARY) bin/sandsweep; \
	$(BINARY) man >"$$file"; put 644 "$$file" share/man/man1/sandsweep.1; \
	$(BINARY) completions bash >"$$file"; put 644 "$$file" share/bash-completion/completions/sandsweep; \
	$(BINARY) completions zsh >"$$file"; put 644 "$$file" share/zsh/site-functions/_sandsweep; \
	$(BINARY) completions fish >"$$file"; put 644 "$$file" share/fish/vendor_completions.d/sandsweep.fish

# Only where there is none: `sudo make install` is not to build as root.
$(BINARY):
	$(CARGO) build --release --locked

clean: ## Remove what was built; reports stay
	$(CARGO) clean
