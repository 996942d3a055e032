# The libraries from outside, each with the folder that uses it. Folders above it may use it too.
#     folder   pkg-config modules; in capitals those that only CMake knows by a package of that name
set(SEDGE_EXTERNAL
    "async     liburing"
    "net       zlib libssl libcrypto WSLAY"
    "store     sqlite3 libzstd"
    "backup    libcrypto"
    "doctor    libcrypto"
    "auth      libargon2 libcrypto"
    "load      libssl libcrypto")

find_package(PkgConfig REQUIRED)
foreach(row IN LISTS SEDGE_EXTERNAL)
    separate_arguments(words UNIX_COMMAND "${row}")
    list(POP_FRONT words folder)
    foreach(module IN LISTS words)
        if(module MATCHES "^[A-Z]+$")
            string(TOLOWER ${module} package)
            find_package(${package} CONFIG QUIET)
            if(NOT ${package}_FOUND)
                message(FATAL_ERROR "${package} is missing. 'tools/install build' installs what sedge is built with.")
            endif()
            list(APPEND SEDGE_EXTERNAL_${folder} ${package})
            continue()
        endif()
        pkg_check_modules(${module} QUIET IMPORTED_TARGET ${module})
        if(NOT ${module}_FOUND)
            message(FATAL_ERROR "${module} is missing. 'tools/install build' installs what sedge is built with.")
        endif()
        list(APPEND SEDGE_EXTERNAL_${folder} PkgConfig::${module})
    endforeach()
endforeach()
