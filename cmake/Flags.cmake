# How every C file of sedge is compiled and linked: the interface library sedge_flags.
# Third-party headers are system headers, so their warnings are not ours.

add_library(sedge_flags INTERFACE)
target_compile_features(sedge_flags INTERFACE c_std_11)
target_compile_definitions(sedge_flags INTERFACE _GNU_SOURCE)
target_include_directories(sedge_flags INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
target_compile_options(sedge_flags INTERFACE
    -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Werror
    $<IF:$<BOOL:$<TARGET_PROPERTY:POSITION_INDEPENDENT_CODE>>,-fPIC,-fPIE> -fno-common -fno-strict-aliasing -fstack-protector-strong -ffunction-sections -fdata-sections
    -fno-omit-frame-pointer -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
# ASSERT(!"why this can't be") is meant so.
target_compile_options(sedge_flags INTERFACE $<$<C_COMPILER_ID:Clang>:-Wno-string-conversion>)
target_link_options(sedge_flags INTERFACE
    $<$<NOT:$<STREQUAL:$<TARGET_PROPERTY:TYPE>,SHARED_LIBRARY>>:-pie> -Wl,--as-needed,--gc-sections -Wl,-z,relro,-z,now)

find_package(Threads REQUIRED)
target_link_libraries(sedge_flags INTERFACE Threads::Threads m)

if(CMAKE_BUILD_TYPE MATCHES "Rel" AND SEDGE_SANITIZE STREQUAL "none")
    target_compile_options(sedge_flags INTERFACE -fno-plt)
    target_compile_definitions(sedge_flags INTERFACE _FORTIFY_SOURCE=2)
endif()

if(SEDGE_SANITIZE STREQUAL "address")
    set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(SEDGE_SANITIZE STREQUAL "thread")
    set(sanitize -fsanitize=thread)
elseif(NOT SEDGE_SANITIZE STREQUAL "none")
    message(FATAL_ERROR "SEDGE_SANITIZE is address, thread or none, not '${SEDGE_SANITIZE}'")
endif()
if(DEFINED sanitize)
    target_compile_options(sedge_flags INTERFACE ${sanitize})
    target_link_options(sedge_flags INTERFACE ${sanitize})
endif()

if(SEDGE_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "SEDGE_FUZZ needs clang (libFuzzer): use the preset 'fuzz'")
    endif()
    target_compile_options(sedge_flags INTERFACE -fsanitize=fuzzer-no-link)
    target_link_options(sedge_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(SEDGE_COVERAGE)
    target_compile_options(sedge_flags INTERFACE --coverage -fprofile-update=atomic)
    target_link_options(sedge_flags INTERFACE --coverage)
endif()

if(SEDGE_GC_STRESS)
    target_compile_definitions(sedge_flags INTERFACE SEDGE_GC_STRESS=1)
endif()
