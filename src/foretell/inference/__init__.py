"""Arrays in, arrays out: signature, codecs, runtimes, conversion, sandbox. No framework, no database, no network."""
