# Reads through a null pointer: a real fault in native code, which no handler catches.
# Verdict: crashed.
import ctypes

print("about to read address 0", flush=True)
ctypes.string_at(0)
print("never reached")
