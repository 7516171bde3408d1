# SPDX-License-Identifier: Apache-2.0
# Verilated models.
#
#   nicroscope_verilate(<target> PROFILE <profile> VARIANT checked|traced|fast)
#       a static library around the profile's top module; its class is V<profile>_<variant>.
#         checked  assertions, registers that start at random, clock gates open: for the tests
#         traced   the same with a waveform (FST)
#         fast     neither, -O3: for benchmarks and long studies
#
#   nicroscope_verilate_module(<target> TOP <module> [PREFIX <class>] [SOURCES <file>...]
#                              [OPTIONS <verilator option>...] [FAST <flags>] [SLOW <flags>] [STEP])
#       the same for any module. SOURCES are SystemVerilog files outside rtl/. STEP: with a quick step
#       of its own (scripts/rtl.py).
#
# Register start values are random only if the context's randReset(2) was called before construction.
#
# Verilator's own verilate() is not used: it runs Verilator while CMake configures, one model after the
# other, so that an error in one module stops the build of everything, and it compiles Verilator's
# run-time library into every model, which makes two models in one program collide. Here Verilator
# runs as a build step, and the models share one run-time library.

find_program(VERILATOR_PROGRAM verilator)
if(NOT VERILATOR_PROGRAM)
  message(FATAL_ERROR "Verilator is missing: `make setup` installs what the build needs")
endif()
execute_process(COMMAND ${VERILATOR_PROGRAM} --getenv VERILATOR_ROOT
  OUTPUT_VARIABLE VERILATOR_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
find_package(ZLIB REQUIRED)
find_package(Threads REQUIRED)

set(NICROSCOPE_RTL_PY ${PROJECT_SOURCE_DIR}/scripts/rtl.py)

add_library(nicroscope_verilated STATIC
  ${VERILATOR_ROOT}/include/verilated.cpp
  ${VERILATOR_ROOT}/include/verilated_threads.cpp
  ${VERILATOR_ROOT}/include/verilated_fst_c.cpp)
target_include_directories(nicroscope_verilated SYSTEM PUBLIC
  ${VERILATOR_ROOT}/include ${VERILATOR_ROOT}/include/vltstd)
if(NICROSCOPE_COVERAGE)
  target_sources(nicroscope_verilated PRIVATE ${VERILATOR_ROOT}/include/verilated_cov.cpp)
  target_compile_definitions(nicroscope_verilated PUBLIC VM_COVERAGE=1)
endif()
target_compile_options(nicroscope_verilated PRIVATE -w -fcf-protection=none)
target_link_libraries(nicroscope_verilated PUBLIC ZLIB::ZLIB Threads::Threads)

# The compiler's options for a profile's fast model. A word that was written in narrow pieces shortly before,
# as registers are, and is read as a wide one has to wait until the pieces are in the cache; so does a narrow
# one of a wide write that it crosses. Vectors and merged stores make more of both. A stream of 512 bits
# gains more from them than it loses.
function(nicroscope_fast_options profile result)
  set(options -O3)
  if(NOT "StreamBytes=64" IN_LIST NICROSCOPE_${profile}_PARAMETERS)
    list(APPEND options -fno-tree-vectorize)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      list(APPEND options -fno-store-merging)
    endif()
  endif()
  set(${result} ${options} PARENT_SCOPE)
endfunction()

function(nicroscope_verilate_module target)
  cmake_parse_arguments(V "STEP" "TOP;PREFIX;SLOW" "SOURCES;OPTIONS;FAST" ${ARGN})
  if(NOT V_TOP)
    message(FATAL_ERROR "nicroscope_verilate_module(${target}): TOP is missing")
  endif()
  if(NOT V_PREFIX)
    set(V_PREFIX V${V_TOP})
  endif()
  if(NOT V_FAST)
    set(V_FAST -O2)
  endif()
  if(NOT V_SLOW)
    set(V_SLOW -O0)
  endif()
  set(extra "")
  foreach(source ${V_SOURCES})
    list(APPEND extra --extra ${source})
  endforeach()
  if(V_STEP)
    list(APPEND extra --step)
  endif()
  set(directory ${CMAKE_CURRENT_BINARY_DIR}/${target}.verilated)
  set(fast ${directory}/${V_PREFIX}_fast.cpp)
  set(slow ${directory}/${V_PREFIX}_slow.cpp)
  add_custom_command(
    OUTPUT ${fast} ${slow}
    BYPRODUCTS ${directory}/${V_PREFIX}.h
    COMMAND ${Python3_EXECUTABLE} ${NICROSCOPE_RTL_PY} verilate --top ${V_TOP} --prefix ${V_PREFIX}
            --directory ${directory} ${extra} -- ${V_OPTIONS}
    DEPFILE ${directory}/${V_PREFIX}.d
    DEPENDS ${NICROSCOPE_RTL_PY} ${V_SOURCES}
    COMMENT "Verilating ${V_TOP} into ${V_PREFIX}"
    VERBATIM)
  add_library(${target} STATIC ${fast} ${slow})
  set_source_files_properties(${fast} PROPERTIES COMPILE_OPTIONS "${V_FAST}")
  set_source_files_properties(${slow} PROPERTIES COMPILE_OPTIONS "${V_SLOW}")
  target_compile_options(${target} PRIVATE -w -fcf-protection=none)
  # Verilator's own knob for models whose hot part is compiled as one file, as here; the other file
  # calls some of the same functions, so that they are kept.
  target_compile_definitions(${target} PRIVATE "VL_INLINE_OPT=inline __attribute__((used))")
  target_include_directories(${target} SYSTEM PUBLIC ${directory})
  target_link_libraries(${target} PUBLIC nicroscope_verilated)
endfunction()

function(nicroscope_verilate target)
  cmake_parse_arguments(V "" "PROFILE;VARIANT" "" ${ARGN})
  if(NOT V_PROFILE IN_LIST NICROSCOPE_PROFILES)
    message(FATAL_ERROR "nicroscope_verilate(${target}): no profile ${V_PROFILE}; "
                        "there are ${NICROSCOPE_PROFILES}")
  endif()
  set(options "")
  set(step "")
  foreach(parameter ${NICROSCOPE_${V_PROFILE}_PARAMETERS})
    list(APPEND options -G${parameter})
  endforeach()
  if(V_VARIANT STREQUAL "checked")
    list(APPEND options --assert --x-assign unique --x-initial unique -DOPEN_CLOCK_GATES)
    if(NICROSCOPE_COVERAGE)
      # Coverage keeps branches that are constant otherwise; lint looks at the RTL without it.
      list(APPEND options --coverage-line --coverage-toggle -Wno-CMPCONST)
    endif()
    set(fast -O2)
  elseif(V_VARIANT STREQUAL "traced")
    list(APPEND options --assert --trace-fst --trace-structs --x-assign fast --x-initial fast
      -DOPEN_CLOCK_GATES)
    set(fast -O1)
  elseif(V_VARIANT STREQUAL "fast")
    list(APPEND options -O3 -fno-split -fno-table --x-assign fast --x-initial fast --noassert)
    nicroscope_fast_options(${V_PROFILE} fast)
    set(step STEP)
  else()
    message(FATAL_ERROR "nicroscope_verilate(${target}): VARIANT is ${V_VARIANT}; "
                        "checked, traced and fast are accepted")
  endif()
  nicroscope_verilate_module(${target} TOP ${NICROSCOPE_${V_PROFILE}_TOP}
    PREFIX V${V_PROFILE}_${V_VARIANT} FAST ${fast} OPTIONS ${options} ${step})
endfunction()
