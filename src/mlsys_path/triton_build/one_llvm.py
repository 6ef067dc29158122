"""Makes every component of a distribution's LLVM resolve to its one shared library.

Distributions link LLVM as one `libLLVM.so` and ship its static archives beside it. MLIR's libraries ask for the shared
one; a project that names components (`LLVMPasses`, `LLVMNVPTXCodeGen`, as Triton does) gets the archives. So LLVM is
linked twice, without a word, and dies when it is loaded: "Option ... registered more than once". The package for CMake
that is written here includes the real one, and then turns each static component into another name of the shared library.
"""

from __future__ import annotations

from pathlib import Path

from mlsys_path.triton_build.llvm_installed import Installed
from mlsys_path.triton_build.state import replace

_CONFIG = """\
# Written by mlsys-path for one build. It includes LLVM's own package, and changes no file of it.
include("{real}/LLVMConfig.cmake")
if(TARGET LLVM)
  foreach(component IN LISTS LLVM_AVAILABLE_LIBS)
    if(TARGET ${{component}})
      get_target_property(kind ${{component}} TYPE)
      get_target_property(imported ${{component}} IMPORTED)
      if(imported AND kind STREQUAL "STATIC_LIBRARY")
        # its archive is left out by linking the shared library in its place, wherever it is named
        set_target_properties(${{component}} PROPERTIES INTERFACE_LINK_LIBRARIES LLVM)
        foreach(configuration IN ITEMS "" _RELEASE _RELWITHDEBINFO _MINSIZEREL _DEBUG _NOCONFIG)
          get_target_property(archive ${{component}} IMPORTED_LOCATION${{configuration}})
          if(archive)
            set_target_properties(${{component}} PROPERTIES IMPORTED_LOCATION${{configuration}} "{library}")
          endif()
        endforeach()
      endif()
    endif()
  endforeach()
  message(STATUS "mlsys-path: every component of LLVM is {library}")
endif()
"""
_VERSION = 'include("{real}/LLVMConfigVersion.cmake")\n'


def shared_library(installed: Installed) -> Path | None:
    """The one shared library of an installed LLVM."""
    folder = installed.prefix / "lib"
    for name in (
        f"libLLVM-{installed.major}.so",
        f"libLLVM.so.{installed.version.rpartition('.')[0]}",
        "libLLVM.so",
    ):
        if (folder / name).exists():
            return folder / name
    return None


def write(installed: Installed, folder: Path) -> Path | None:
    """Write the package; its folder is what LLVM_DIR is to be. None where LLVM is no shared library."""
    library = shared_library(installed)
    if not installed.shared or library is None:
        return None
    real = installed.cmake / "llvm"
    replace(folder / "LLVMConfig.cmake", _CONFIG.format(real=real, library=library).encode())
    replace(folder / "LLVMConfigVersion.cmake", _VERSION.format(real=real).encode())
    return folder
