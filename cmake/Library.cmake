# The installed libraries libsedge-rt and libsedge-mqtt (which holds the former), shared and static, and their
# manual pages. docs/decisions/0008 and 0018 have the reasons.
#
# Its objects are compiled anew, as code of a shared library. They begin with the facades
# (src/lib, src/mqttlib) and take from the house what those need, so nobody lists the house's files here.

target_include_directories(sedge_lib PUBLIC ${CMAKE_SOURCE_DIR}/include)
target_include_directories(sedge_mqttlib PUBLIC ${CMAKE_SOURCE_DIR}/include)

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

# sedge_house_sources(OUT FOLDER...): what a library may take from these folders.
function(sedge_house_sources out)
    set(all "")
    foreach(folder IN LISTS ARGN)
        file(GLOB sources CONFIGURE_DEPENDS src/${folder}/*.c src/${folder}/*/*.c
                                            src/${folder}/*_${CMAKE_SYSTEM_PROCESSOR}.S)
        list(APPEND all ${sources})
    endforeach()
    list(FILTER all EXCLUDE REGEX "_test\\.c$|/net/http_")
    set(${out} ${all} PARENT_SCOPE)
endfunction()
sedge_house_sources(house_sources base codec async net client)
sedge_house_sources(rt_sources lib)
sedge_house_sources(mqtt_sources mqttlib)

# Thread-local variables at a fixed place, since the worker is looked up in every call. They are few, so
# that the library can also be loaded into a running program.
set(as_library -fvisibility=hidden -ftls-model=initial-exec)
add_library(sedge_house STATIC ${house_sources})
add_library(sedge_rt_facade OBJECT ${rt_sources})
add_library(sedge_mqtt_facade OBJECT ${mqtt_sources})
foreach(target sedge_house sedge_rt_facade sedge_mqtt_facade)
    # Objects that any linker can take apart again, whatever SEDGE_LTO says.
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON INTERPROCEDURAL_OPTIMIZATION OFF)
    target_compile_options(${target} PRIVATE ${as_library})
    target_include_directories(${target} PRIVATE include)
    target_link_libraries(${target} PRIVATE ${SEDGE_EXTERNAL_async} ${SEDGE_EXTERNAL_net} sedge_flags)
endforeach()

# The versions of libsedge-mqtt's symbols: its own, and those of the runtime that it holds.
set(rt_map ${CMAKE_SOURCE_DIR}/src/lib/sedge-rt.map)
set(mqtt_map ${CMAKE_BINARY_DIR}/sedge-mqtt.map)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${rt_map}
    ${CMAKE_SOURCE_DIR}/src/mqttlib/sedge-mqtt.map)
file(READ ${rt_map} both_maps)
file(READ ${CMAKE_SOURCE_DIR}/src/mqttlib/sedge-mqtt.map own_map)
file(CONFIGURE OUTPUT ${mqtt_map} CONTENT "${both_maps}${own_map}" @ONLY)

# sedge_library(NAME MAP LIBRARIES FACADE...): lib/libsedge-NAME.so and .a. LIBRARIES are what it is linked
# with from outside.
function(sedge_library name map libraries)
    set(target sedge_${name})
    set(objects "")
    foreach(facade IN LISTS ARGN)
        list(APPEND objects $<TARGET_OBJECTS:${facade}>)
    endforeach()
    add_library(${target} SHARED ${objects})
    target_link_libraries(${target} PRIVATE sedge_house ${libraries})
    target_link_options(${target} PRIVATE -Wl,--version-script=${map} -Wl,-z,defs -Wl,--no-undefined-version -Wl,--as-needed)
    set_target_properties(${target} PROPERTIES
        OUTPUT_NAME sedge-${name} VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
        LINK_DEPENDS ${map} LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib LINKER_LANGUAGE C)

    # One object in which only sedge_* is global, so that it can't collide with its user's names.
    set(archive ${CMAKE_BINARY_DIR}/lib/libsedge-${name}.a)
    add_custom_command(
        OUTPUT ${archive}
        DEPENDS ${ARGN} ${objects} sedge_house
        COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/lib
        COMMAND ${CMAKE_LINKER} -r -o lib/sedge-${name}.o ${objects} $<TARGET_FILE:sedge_house>
        COMMAND ${CMAKE_OBJCOPY} --wildcard --keep-global-symbol=sedge_* lib/sedge-${name}.o
        COMMAND ${CMAKE_COMMAND} -E rm -f ${archive}
        COMMAND ${CMAKE_AR} rcs ${archive} lib/sedge-${name}.o
        WORKING_DIRECTORY ${CMAKE_BINARY_DIR}
        COMMENT "libsedge-${name}.a"
        COMMAND_EXPAND_LISTS VERBATIM)
    add_custom_target(${target}_static ALL DEPENDS ${archive})
endfunction()
sedge_library(rt ${rt_map} "${SEDGE_EXTERNAL_async}" sedge_rt_facade)
sedge_library(mqtt ${mqtt_map} "${SEDGE_EXTERNAL_async};${SEDGE_EXTERNAL_net}" sedge_rt_facade sedge_mqtt_facade)

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
