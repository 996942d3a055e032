# What `sedge init` writes: sites/init/FOLDER/FILE as texts in the program (src/app/init_site.h). By CMake alone,
# so that a cross-build needs no program of its own for it.

set(template_files "")
foreach(kind factory home farm empty local tls plain) # what it is for; who may connect
    file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sites/init/${kind}/*.sedge)
    list(APPEND template_files ${files})
endforeach()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${template_files})

set(template_rows "")
foreach(path IN LISTS template_files)
    get_filename_component(file ${path} NAME)
    get_filename_component(folder ${path} DIRECTORY)
    get_filename_component(kind ${folder} NAME)
    file(READ ${path} bytes HEX)
    string(LENGTH "${bytes}" digits)
    math(EXPR size "${digits} / 2")
    string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${bytes}")
    string(APPEND template_rows "    {\"${kind}\", \"${file}\", {\"${bytes}\", ${size}}},\n")
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/site_templates.c @ONLY CONTENT
"/* Made by cmake/Templates.cmake from sites/init. */
#include \"app/init_site.h\"

const struct site_template site_templates[] = {
@template_rows@    {NULL, NULL, {NULL, 0}},
};
")
target_sources(sedge_app PRIVATE ${CMAKE_BINARY_DIR}/site_templates.c)
