# cmake --install, which make install calls: the program with its pages, completions and the unit of its service, and the
# libraries with their headers, their pages and what pkg-config and CMake know them by.
# Components: program, service, rt (to run what was built with a library), rt-dev (to build with it).
# PREFIX is known when it is installed, not before: see install(CODE) below.

include(GNUInstallDirs)

if(TARGET sedge)
    install(TARGETS sedge RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
    # What users read; the decisions are for those who change sedge.
    install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/sedge COMPONENT program
        FILES_MATCHING PATTERN "*.md" PATTERN "openapi.json" PATTERN "decisions" EXCLUDE PATTERN "pitfalls.md" EXCLUDE)
endif()

# The units name the program, so they are written when the prefix is known, like pkg-config's files below. They are installed
# and not enabled: who installs by hand makes the user (sysusers.d) and the site first (docs/running.md).
if(TARGET sedge)
    install(FILES packaging/site/site.sedge DESTINATION ${CMAKE_INSTALL_DATADIR}/sedge/site COMPONENT service)
    install(FILES packaging/sedge.sysusers DESTINATION lib/sysusers.d RENAME sedge.conf COMPONENT service)
    install(FILES packaging/sedge-backup.timer DESTINATION lib/systemd/system COMPONENT service)
    install(CODE "
        set(BIN \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
        set(DOC \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/doc/sedge\")
        foreach(name IN ITEMS sedge.service sedge-backup.service)
            set(unit \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system/\${name}\")
            message(STATUS \"Installing: \$ENV{DESTDIR}\${unit}\")
            configure_file(\"${CMAKE_SOURCE_DIR}/packaging/\${name}.in\" \"\$ENV{DESTDIR}\${unit}\" @ONLY)
            list(APPEND CMAKE_INSTALL_MANIFEST_FILES \"\${unit}\")
        endforeach()
    " COMPONENT service)
endif()
if(NOT SEDGE_LIBRARY)
    return()
endif()

# What the program says of itself: pages and completion, written by it (src/app/commands.h). A cross-built one needs
# an emulator for that; without one it is installed without them.
if(TARGET sedge AND (NOT CMAKE_CROSSCOMPILING OR CMAKE_CROSSCOMPILING_EMULATOR))
    set(said ${CMAKE_BINARY_DIR}/said)
    add_custom_command(
        OUTPUT ${said}/stamp
        DEPENDS sedge
        COMMAND ${CMAKE_COMMAND} -E rm -rf ${said}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${said}/man1
        COMMAND sedge man -o ${said}/man1
        COMMAND sedge completion bash > ${said}/sedge
        COMMAND sedge completion zsh > ${said}/_sedge
        COMMAND sedge completion fish > ${said}/sedge.fish
        COMMAND ${CMAKE_COMMAND} -E touch ${said}/stamp
        COMMENT "sedge: manual pages and completion" VERBATIM)
    add_custom_target(sedge_said ALL DEPENDS ${said}/stamp)
    install(DIRECTORY ${said}/man1/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
    install(FILES ${said}/sedge DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT program)
    # zsh looks for what distributions bring in another place than for what is installed by hand.
    install(CODE "
        set(place site-functions)
        if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
            set(place vendor-completions)
        endif()
        file(INSTALL \"${said}/_sedge\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/zsh/\${place}\")
    " COMPONENT program)
    install(FILES ${said}/sedge.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT program)
endif()

set(libraries rt mqtt)
foreach(name IN LISTS libraries)
    install(TARGETS sedge_${name}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT rt NAMELINK_COMPONENT rt-dev)
    install(FILES ${CMAKE_BINARY_DIR}/lib/libsedge-${name}.a DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT rt-dev)
endforeach()
install(FILES ${SEDGE_HEADERS} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sedge COMPONENT rt-dev)
install(DIRECTORY ${SEDGE_MAN}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man3 COMPONENT rt-dev)

# CMake's package finds everything from where it lies itself.
include(CMakePackageConfigHelpers)
foreach(name IN LISTS libraries)
    set(package ${CMAKE_INSTALL_LIBDIR}/cmake/sedge-${name})
    configure_package_config_file(cmake/sedge-${name}-config.cmake.in ${CMAKE_BINARY_DIR}/sedge-${name}-config.cmake
        INSTALL_DESTINATION ${package} PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR
        NO_CHECK_REQUIRED_COMPONENTS_MACRO)
    write_basic_package_version_file(${CMAKE_BINARY_DIR}/sedge-${name}-config-version.cmake
        COMPATIBILITY SameMinorVersion)
    install(FILES ${CMAKE_BINARY_DIR}/sedge-${name}-config.cmake ${CMAKE_BINARY_DIR}/sedge-${name}-config-version.cmake
        DESTINATION ${package} COMPONENT rt-dev)
endforeach()

# pkg-config's file names the prefix, so it is written at the very end.
foreach(name IN LISTS libraries)
    set(at_install ${CMAKE_BINARY_DIR}/sedge-${name}.pc.in)
    configure_file(cmake/sedge-${name}.pc.in ${at_install} @ONLY)
    install(CODE "
        set(pc \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig/sedge-${name}.pc\")
        message(STATUS \"Installing: \$ENV{DESTDIR}\${pc}\")
        file(READ \"${at_install}\" text)
        string(REPLACE \"PREFIX_WHEN_INSTALLED\" \"\${CMAKE_INSTALL_PREFIX}\" text \"\${text}\")
        file(WRITE \"\$ENV{DESTDIR}\${pc}\" \"\${text}\")
        list(APPEND CMAKE_INSTALL_MANIFEST_FILES \"\${pc}\")
    " COMPONENT rt-dev)
endforeach()

add_custom_target(installed DEPENDS sedge_rt sedge_rt_static sedge_mqtt sedge_mqtt_static sedge_man COMMENT "what is installed is built")
if(TARGET sedge)
    add_dependencies(installed sedge)
    if(TARGET sedge_said)
        add_dependencies(installed sedge_said)
    endif()
endif()
