# cmake -DFROM=web -DTO=build/web -P CopyWeb.cmake: a fresh copy of the sources, node_modules kept.
file(REMOVE_RECURSE ${TO}/src ${TO}/public ${TO}/dist)
file(COPY ${FROM}/ DESTINATION ${TO}
     PATTERN node_modules EXCLUDE PATTERN dist EXCLUDE PATTERN package-lock.json EXCLUDE)
file(MAKE_DIRECTORY ${TO}/dist)
