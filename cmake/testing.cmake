# SPDX-License-Identifier: Apache-2.0
# Tests.
#
#   nicroscope_test(<name> SOURCES <file>... [LIBS <target>...])
#       a GoogleTest program, each of its tests a CTest.
#
#   nicroscope_rtl_test(<name> TOP <module> [RTL <file>...] [PARAMS <K=V>...] SOURCES <file>...
#                       [LIBS <target>...] [PREFIX <class>] [TRACE])
#       the same around the Verilated <module> (class V<module>), with assertions on and registers
#       that start at random. What the module needs below rtl/ is found by name; RTL names files
#       elsewhere, a test's own top for instance.

enable_testing()
set(nicroscope_rtl_folder ${PROJECT_SOURCE_DIR}/rtl)
find_package(GTest REQUIRED)
include(GoogleTest)

function(nicroscope_test name)
  cmake_parse_arguments(T "" "" "SOURCES;LIBS" ${ARGN})
  if(NOT T_SOURCES)
    message(FATAL_ERROR "nicroscope_test(${name}): SOURCES is missing")
  endif()
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE
    ${T_LIBS} GTest::gmock GTest::gtest GTest::gtest_main)
  gtest_discover_tests(${name} TEST_PREFIX ${name}. WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    PROPERTIES TIMEOUT 300 DISCOVERY_TIMEOUT 60)
endfunction()

function(nicroscope_rtl_test name)
  cmake_parse_arguments(T "TRACE" "TOP;PREFIX" "RTL;PARAMS;SOURCES;LIBS" ${ARGN})
  if(NOT T_TOP OR NOT T_SOURCES)
    message(FATAL_ERROR "nicroscope_rtl_test(${name}): TOP or SOURCES is missing")
  endif()
  set(options --assert --x-assign unique --x-initial unique)
  foreach(parameter ${T_PARAMS})
    list(APPEND options -G${parameter})
  endforeach()
  if(T_TRACE)
    list(APPEND options --trace-fst --trace-structs)
  endif()
  set(outside "")
  foreach(file ${T_RTL})
    foreach(base ${CMAKE_CURRENT_SOURCE_DIR} ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/rtl)
      cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${base} NORMALIZE OUTPUT_VARIABLE path)
      if(EXISTS ${path})
        break()
      endif()
    endforeach()
    if(NOT EXISTS ${path})
      message(FATAL_ERROR "nicroscope_rtl_test(${name}): there is no ${file}")
    endif()
    cmake_path(IS_PREFIX nicroscope_rtl_folder ${path} NORMALIZE below_rtl)
    if(NOT below_rtl)
      list(APPEND outside ${path})
    endif()
  endforeach()
  if(NOT T_PREFIX)
    set(T_PREFIX V${T_TOP})
  endif()
  nicroscope_verilate_module(${name}_model TOP ${T_TOP} PREFIX ${T_PREFIX} FAST -O1
    SOURCES ${outside} OPTIONS ${options})
  nicroscope_test(${name} SOURCES ${T_SOURCES} LIBS ${T_LIBS} ${name}_model)
endfunction()
