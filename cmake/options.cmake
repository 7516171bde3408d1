# SPDX-License-Identifier: Apache-2.0
# Language, warnings and the choices that a build can make.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, RelWithDebInfo or Debug" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2")  # assertions stay on
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g")

option(NICROSCOPE_SANITIZE "build with the address and undefined-behaviour sanitizers" OFF)
option(NICROSCOPE_COVERAGE "count lines and toggles of the RTL in checked models" OFF)
set(NICROSCOPE_PGO off CACHE STRING "profile-guided optimisation: off, generate or use")
set_property(CACHE NICROSCOPE_PGO PROPERTY STRINGS off generate use)
set(NICROSCOPE_PGO_DIR ${PROJECT_BINARY_DIR}/pgo CACHE PATH "where the profile is")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER AND NICROSCOPE_PGO STREQUAL "off")
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

# Warnings for every target; Verilator's output turns them off again with -w.
add_library(nicroscope_warnings INTERFACE)
target_compile_options(nicroscope_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
link_libraries(nicroscope_warnings)

# Own code is included from the root ("stack/kernel/cpu.h") and from include ("nicroscope/...").
include_directories(${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)

if(NICROSCOPE_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined
    -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

if(NICROSCOPE_PGO STREQUAL "generate")
  add_compile_options(-fprofile-generate -fprofile-update=single
    -fprofile-dir=${NICROSCOPE_PGO_DIR})
  add_link_options(-fprofile-generate)
elseif(NICROSCOPE_PGO STREQUAL "use")
  add_compile_options(-fprofile-use=${NICROSCOPE_PGO_DIR} -fprofile-correction
    -Wno-missing-profile)
elseif(NOT NICROSCOPE_PGO STREQUAL "off")
  message(FATAL_ERROR "NICROSCOPE_PGO is ${NICROSCOPE_PGO}: off, generate or use are accepted")
endif()
