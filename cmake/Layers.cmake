# Reads layers.txt and makes one static library sedge_FOLDER for each folder of src/, linked to the
# folders that it may use, and one executable FOLDER_test from its *_test.c.
# A folder without sources is an interface library, so that the table may be ahead of the code.

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/layers.txt)
file(STRINGS ${CMAKE_SOURCE_DIR}/layers.txt lines REGEX "^[a-z]+:")

set(SEDGE_FOLDERS "")
foreach(line IN LISTS lines)
    string(REGEX REPLACE "^([a-z]+):.*$" "\\1" folder "${line}")
    string(REGEX REPLACE "^[a-z]+:" "" uses "${line}")
    separate_arguments(uses UNIX_COMMAND "${uses}")
    list(APPEND SEDGE_FOLDERS ${folder})
    set(SEDGE_USES_${folder} ${uses})
endforeach()

# sedge_folder(NAME): the library and the test executable of src/NAME.
function(sedge_folder name)
    set(dir ${CMAKE_SOURCE_DIR}/src/${name})
    file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.c ${dir}/*/*.c)
    set(tests ${sources})
    list(FILTER tests INCLUDE REGEX "_test\\.c$")
    list(FILTER sources EXCLUDE REGEX "_test\\.c$")
    list(REMOVE_ITEM sources ${CMAKE_SOURCE_DIR}/src/app/main.c)
    # Assembly is for one architecture: x_ARCH.S.
    file(GLOB assembly CONFIGURE_DEPENDS ${dir}/*_${CMAKE_SYSTEM_PROCESSOR}.S)
    list(APPEND sources ${assembly})

    set(kind INTERFACE)
    set(link INTERFACE)
    if(sources)
        set(kind STATIC)
        set(link PUBLIC)
    endif()
    add_library(sedge_${name} ${kind} ${sources})
    foreach(used IN LISTS SEDGE_USES_${name})
        if(NOT TARGET sedge_${used})
            message(FATAL_ERROR "layers.txt: ${name} uses ${used}, which is not above it")
        endif()
        target_link_libraries(sedge_${name} ${link} sedge_${used})
    endforeach()
    target_link_libraries(sedge_${name} ${link} ${SEDGE_EXTERNAL_${name}} sedge_flags)

    if(tests)
        add_executable(${name}_test ${tests})
        target_link_libraries(${name}_test PRIVATE sedge_test sedge_${name})
        add_dependencies(unit_tests ${name}_test)
        add_test(NAME unit/${name} COMMAND ${name}_test)
        # The sanitizers take their time: the thousand seeds of site/ two minutes with threads.
        set_tests_properties(unit/${name} PROPERTIES LABELS unit TIMEOUT 600)
        if(name STREQUAL site) # by far the longest: first, or it is alone at the end
            set_tests_properties(unit/${name} PROPERTIES COST 1000)
        endif()
    endif()
endfunction()

# sedge_link_included(TARGET FILE): links the folders of src/ that FILE includes. For programs
# outside src/ (fuzz, bench), so that they build while other folders do not.
function(sedge_link_included target file)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(STRINGS ${file} includes REGEX "^#include \"[a-z]+/")
    foreach(include IN LISTS includes)
        string(REGEX REPLACE "^#include \"([a-z]+)/.*$" "\\1" folder "${include}")
        if(folder IN_LIST SEDGE_FOLDERS)
            target_link_libraries(${target} PRIVATE sedge_${folder})
        endif()
    endforeach()
    target_link_libraries(${target} PRIVATE sedge_flags)
endfunction()
