# Programs beside the product: fuzz targets and benchmarks. Each file is one program and links what
# it includes.

file(GLOB fuzz_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/fuzz/*_fuzz.c)
foreach(source IN LISTS fuzz_sources)
    get_filename_component(name ${source} NAME_WE)
    string(REGEX REPLACE "_fuzz$" "" stem ${name})
    set(corpus ${CMAKE_SOURCE_DIR}/fuzz/corpus/${stem})
    if(SEDGE_FUZZ)
        add_executable(${name} ${source})
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    else()
        # Without libFuzzer the kept inputs still run, as a test: none of them may fail again.
        add_executable(${name} ${source} tests/support/corpus_main.c)
        add_test(NAME corpus/${stem} COMMAND ${name} ${corpus})
        set_tests_properties(corpus/${stem} PROPERTIES LABELS corpus TIMEOUT 300)
    endif()
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
    sedge_link_included(${name} ${source})
endforeach()

file(GLOB bench_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/*.c)
foreach(source IN LISTS bench_sources)
    get_filename_component(name ${source} NAME_WE)
    string(REGEX REPLACE "^bench_" "" name ${name})
    add_executable(bench_${name} ${source})
    set_target_properties(bench_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
    sedge_link_included(bench_${name} ${source})
endforeach()
