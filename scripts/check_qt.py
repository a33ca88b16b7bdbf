"""Does Qt start here? Exit status 0 if so; else what it lacks on stderr (Qt itself aborts without a platform)."""

import sys

try:
    from PySide6.QtWidgets import QApplication
except ImportError as error:
    sys.exit(str(error))
QApplication([])
