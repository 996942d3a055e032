# Builds web/ into the build folder and embeds the result: web files -> gzip -> web_assets.c, which
# is linked into sedge_dashboard (src/dashboard/web_assets.h). Without web/, or with SEDGE_WEB=OFF,
# there is no page. The description of the API (docs/openapi.json) is always there. npm runs in a
# copy, so the source tree stays clean.

find_package(ZLIB REQUIRED)
add_executable(sedge_embed tools/embed.c)
target_link_libraries(sedge_embed PRIVATE sedge_flags ZLIB::ZLIB)

set(web ${CMAKE_SOURCE_DIR}/web)
set(web_build ${CMAKE_BINARY_DIR}/web)
set(web_assets ${CMAKE_BINARY_DIR}/web_assets.c)
set(api_description ${CMAKE_SOURCE_DIR}/docs/openapi.json)

if(SEDGE_WEB AND EXISTS ${web}/package-lock.json AND EXISTS ${web}/build.mjs)
    find_program(NODE node REQUIRED)
    find_program(NPM npm REQUIRED)
    file(GLOB web_sources CONFIGURE_DEPENDS ${web}/src/* ${web}/src/*/* ${web}/public/* ${web}/*.json
                                            ${web}/*.mjs ${web}/*.html ${web}/*.svg)
    list(FILTER web_sources EXCLUDE REGEX "package(-lock)?\\.json$")
    set(manifest ${web}/package.json ${web}/package-lock.json)

    add_custom_command(
        OUTPUT ${web_build}/npm.stamp
        DEPENDS ${manifest}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${web_build}
        COMMAND ${CMAKE_COMMAND} -E copy ${manifest} ${web_build}
        COMMAND ${NPM} ci --no-audit --no-fund --loglevel=error
        COMMAND ${CMAKE_COMMAND} -E touch ${web_build}/npm.stamp
        WORKING_DIRECTORY ${CMAKE_BINARY_DIR}/web
        COMMENT "web: npm ci"
        USES_TERMINAL VERBATIM)
    file(MAKE_DIRECTORY ${web_build})

    add_custom_command(
        OUTPUT ${web_assets}
        DEPENDS ${web_build}/npm.stamp ${web_sources} ${api_description} sedge_embed
        COMMAND ${CMAKE_COMMAND} -DFROM=${web} -DTO=${web_build} -P ${CMAKE_SOURCE_DIR}/cmake/CopyWeb.cmake
        COMMAND ${NODE} build.mjs ${web_build}/dist
        COMMAND sedge_embed ${web_assets} ${web_build}/dist ${api_description}
        WORKING_DIRECTORY ${web_build}
        COMMENT "web: building and embedding the page"
        VERBATIM)
else()
    add_custom_command(
        OUTPUT ${web_assets}
        DEPENDS ${api_description} sedge_embed
        COMMAND sedge_embed ${web_assets} ${api_description}
        COMMENT "web: no page is embedded"
        VERBATIM)
endif()

# A library of its own, so that npm's work does not wait for the folders below the dashboard.
add_library(sedge_web_assets STATIC ${web_assets})
target_link_libraries(sedge_web_assets PRIVATE sedge_flags)
get_target_property(kind sedge_dashboard TYPE)
if(kind STREQUAL "INTERFACE_LIBRARY")
    target_link_libraries(sedge_dashboard INTERFACE sedge_web_assets)
else()
    target_link_libraries(sedge_dashboard PUBLIC sedge_web_assets)
endif()
