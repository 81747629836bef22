-- Output that is not clean text: broken UTF-8 and control characters. It has to be kept as
-- it is, and shown without upsetting the terminal or the report.
local samples = {
  { "a lone continuation byte", "caf\x80 au lait" },
  { "a sequence cut short", "caf\xC3 au lait" },
  { "Latin-1", "caf\xE9 au lait" },
  { "an overlong slash", "\xC0\xAF" },
  { "a surrogate", "\xED\xA0\x80" },
  { "beyond Unicode", "\xF5\x80\x80\x80" },
  { "a NUL in the middle", "left\0right" },
  { "backspaces", "wrong\b\b\b\b\bright" },
  { "a carriage return", "covered\runcovered" },
  { "a window title", "\27]0;not a title\7text" },
  { "an 8-bit escape", "\x9B31mnot red" },
  { "right-to-left override", "\u{202E}txt.exe\u{202C}" },
  { "delete and bell", "\x7F\x07" },
  { "markup", "<b>not bold</b> &amp; | [link](javascript:0)" },
}

for _, sample in ipairs(samples) do
  local name, bytes = sample[1], sample[2]
  local verdict = utf8.len(bytes) and "valid" or "broken"
  io.write(("%-26s %-7s "):format(name, verdict), bytes, "\n")
end
io.write("the last line has no newline")
