"""What parsers of binary formats raise on damaged files: almost anything, so it is written down once."""

import struct
import zipfile
import zlib

from pypdf.errors import DependencyError, PyPdfError

PARSER_FAILURES = (
    PyPdfError,
    DependencyError,
    SyntaxError,  # lxml's
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)
