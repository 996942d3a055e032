# cmake --install, which make install calls: the program, and the library with its headers, its pages and
# what pkg-config and CMake know it by.
# Components: program, rt (to run what was built with the library), rt-dev (to build with it).
# PREFIX is known when it is installed, not before: see install(CODE) below.

include(GNUInstallDirs)

if(TARGET sedge)
    install(TARGETS sedge RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
endif()
if(NOT SEDGE_LIBRARY)
    return()
endif()

install(TARGETS sedge_rt
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT rt NAMELINK_COMPONENT rt-dev)
install(FILES ${SEDGE_RT_STATIC} DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT rt-dev)
install(FILES ${SEDGE_HEADERS} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sedge COMPONENT rt-dev)
install(DIRECTORY ${SEDGE_MAN}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man3 COMPONENT rt-dev)

# CMake's package finds everything from where it lies itself.
include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/sedge-rt)
configure_package_config_file(cmake/sedge-rt-config.cmake.in ${CMAKE_BINARY_DIR}/sedge-rt-config.cmake
    INSTALL_DESTINATION ${package} PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR
    NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/sedge-rt-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/sedge-rt-config.cmake ${CMAKE_BINARY_DIR}/sedge-rt-config-version.cmake
    DESTINATION ${package} COMPONENT rt-dev)

# pkg-config's file names the prefix, so it is written at the very end.
set(at_install ${CMAKE_BINARY_DIR}/sedge-rt.pc.in)
configure_file(cmake/sedge-rt.pc.in ${at_install} @ONLY)
install(CODE "
    set(to \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig/sedge-rt.pc\")
    message(STATUS \"Installing: \${to}\")
    file(READ \"${at_install}\" text)
    string(REPLACE \"PREFIX_WHEN_INSTALLED\" \"\${CMAKE_INSTALL_PREFIX}\" text \"\${text}\")
    file(WRITE \"\${to}\" \"\${text}\")
    list(APPEND CMAKE_INSTALL_MANIFEST_FILES \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig/sedge-rt.pc\")
" COMPONENT rt-dev)

add_custom_target(installed DEPENDS sedge_rt sedge_rt_static sedge_man COMMENT "what is installed is built")
if(TARGET sedge)
    add_dependencies(installed sedge)
endif()
