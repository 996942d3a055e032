# cmake --install (make install): the program, and the library with its headers, pages and what
# pkg-config and CMake know it by. Components: program, rt (to run with), rt-dev (to build with).
