# The installed library libsedge-rt, shared and static, and its manual pages. docs/decisions/0008 has
# the reasons.
#
# Its objects are compiled anew, as code of a shared library. Both libraries begin with the facade
# (src/lib) and take from the house what that needs, so nobody lists the house's files here.

target_include_directories(sedge_lib PUBLIC ${CMAKE_SOURCE_DIR}/include)

# A version is kept in two places, because the header is used without CMake.
file(STRINGS include/sedge/rt.h line REGEX "^#define SEDGE_RT_VERSION ")
if(NOT line STREQUAL "#define SEDGE_RT_VERSION \"${PROJECT_VERSION}\"")
    message(FATAL_ERROR "include/sedge/rt.h has another version than CMakeLists.txt: ${line}")
endif()

set(SEDGE_LIBRARY ON)
if(SEDGE_FUZZ OR SEDGE_COVERAGE OR NOT SEDGE_SANITIZE STREQUAL "none")
    set(SEDGE_LIBRARY OFF) # nobody installs those builds; unit/lib tests the facade in them
    return()
endif()

set(house_sources "")
foreach(folder base codec async net)
    file(GLOB sources CONFIGURE_DEPENDS src/${folder}/*.c src/${folder}/*/*.c
                                        src/${folder}/*_${CMAKE_SYSTEM_PROCESSOR}.S)
    list(APPEND house_sources ${sources})
endforeach()
list(FILTER house_sources EXCLUDE REGEX "_test\\.c$|/net/http_")
file(GLOB facade_sources CONFIGURE_DEPENDS src/lib/*.c)
list(FILTER facade_sources EXCLUDE REGEX "_test\\.c$")

# Thread-local variables at a fixed place, since the worker is looked up in every call. They are few, so
# that the library can also be loaded into a running program.
set(as_library -fvisibility=hidden -ftls-model=initial-exec)
add_library(sedge_rt_house STATIC ${house_sources})
add_library(sedge_rt_facade OBJECT ${facade_sources})
foreach(target sedge_rt_house sedge_rt_facade)
    # Objects that any linker can take apart again, whatever SEDGE_LTO says.
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON INTERPROCEDURAL_OPTIMIZATION OFF)
    target_compile_options(${target} PRIVATE ${as_library})
    target_include_directories(${target} PRIVATE include)
    target_link_libraries(${target} PRIVATE PkgConfig::liburing sedge_flags)
endforeach()

set(map ${CMAKE_SOURCE_DIR}/src/lib/sedge-rt.map)
add_library(sedge_rt SHARED $<TARGET_OBJECTS:sedge_rt_facade>)
target_link_libraries(sedge_rt PRIVATE sedge_rt_house PkgConfig::liburing)
target_link_options(sedge_rt PRIVATE -Wl,--version-script=${map} -Wl,-z,defs -Wl,--no-undefined-version)
set_target_properties(sedge_rt PROPERTIES
    OUTPUT_NAME sedge-rt VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
    LINK_DEPENDS ${map} LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib LINKER_LANGUAGE C)

# One object in which only sedge_* is global, so that it can't collide with its user's names.
set(SEDGE_RT_STATIC ${CMAKE_BINARY_DIR}/lib/libsedge-rt.a)
add_custom_command(
    OUTPUT ${SEDGE_RT_STATIC}
    DEPENDS sedge_rt_facade $<TARGET_OBJECTS:sedge_rt_facade> sedge_rt_house
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/lib
    COMMAND ${CMAKE_LINKER} -r -o lib/sedge-rt.o $<TARGET_OBJECTS:sedge_rt_facade> $<TARGET_FILE:sedge_rt_house>
    COMMAND ${CMAKE_OBJCOPY} --wildcard --keep-global-symbol=sedge_* lib/sedge-rt.o
    COMMAND ${CMAKE_COMMAND} -E rm -f ${SEDGE_RT_STATIC}
    COMMAND ${CMAKE_AR} rcs ${SEDGE_RT_STATIC} lib/sedge-rt.o
    WORKING_DIRECTORY ${CMAKE_BINARY_DIR}
    COMMENT "libsedge-rt.a"
    COMMAND_EXPAND_LISTS VERBATIM)
add_custom_target(sedge_rt_static ALL DEPENDS ${SEDGE_RT_STATIC})

# The pages come from the headers. One stamp stands for all of them, since their names do too.
file(GLOB SEDGE_HEADERS CONFIGURE_DEPENDS include/sedge/*.h)
find_program(PYTHON3 python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
set(SEDGE_MAN ${CMAKE_BINARY_DIR}/man/man3)
add_custom_command(
    OUTPUT ${CMAKE_BINARY_DIR}/man/stamp
    DEPENDS ${SEDGE_HEADERS} tools/man.py
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${SEDGE_MAN}
    COMMAND ${PYTHON3} tools/man.py ${SEDGE_MAN} ${PROJECT_VERSION} ${SEDGE_HEADERS}
    COMMAND ${CMAKE_COMMAND} -E touch ${CMAKE_BINARY_DIR}/man/stamp
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
    COMMENT "manual pages" VERBATIM)
add_custom_target(sedge_man ALL DEPENDS ${CMAKE_BINARY_DIR}/man/stamp)
