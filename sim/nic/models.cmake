# SPDX-License-Identifier: Apache-2.0
# The Verilated models that the simulator can run, each with its VerilatedNic. A model costs a minute
# of compilation, so that which ones are built can be chosen.

set(NICROSCOPE_MODELS edge10_checked edge10_traced edge10_fast dc25_checked dc25_fast
  dc100_checked dc100_fast CACHE STRING
  "models to build: <profile>_<variant>")

set(NICROSCOPE_MODEL_ROWS "")
set(directory ${CMAKE_CURRENT_BINARY_DIR}/generated)
foreach(NICROSCOPE_MODEL ${NICROSCOPE_MODELS})
  string(REGEX MATCH "^(.+)_([a-z]+)$" _ ${NICROSCOPE_MODEL})
  set(NICROSCOPE_MODEL_PROFILE ${CMAKE_MATCH_1})
  set(NICROSCOPE_MODEL_VARIANT ${CMAKE_MATCH_2})
  nicroscope_verilate(model_${NICROSCOPE_MODEL}
    PROFILE ${NICROSCOPE_MODEL_PROFILE} VARIANT ${NICROSCOPE_MODEL_VARIANT})
  set(NICROSCOPE_MODEL_STEP "")
  if(NICROSCOPE_MODEL_VARIANT STREQUAL "fast")
    set(NICROSCOPE_MODEL_STEP "#include \"V${NICROSCOPE_MODEL}_step.h\"")
  endif()
  configure_file(nic/nic_model.cpp.in ${directory}/nic_${NICROSCOPE_MODEL}.cpp @ONLY)
  target_sources(nicroscope_sim PRIVATE ${directory}/nic_${NICROSCOPE_MODEL}.cpp)
  if(NICROSCOPE_MODEL_VARIANT STREQUAL "fast")
    nicroscope_fast_options(${NICROSCOPE_MODEL_PROFILE} options)
    set_source_files_properties(${directory}/nic_${NICROSCOPE_MODEL}.cpp PROPERTIES
      COMPILE_OPTIONS "${options};-fcf-protection=none")
  endif()
  target_link_libraries(nicroscope_sim PRIVATE model_${NICROSCOPE_MODEL})
  string(APPEND NICROSCOPE_MODEL_ROWS
    " X(${NICROSCOPE_MODEL_PROFILE}, ${NICROSCOPE_MODEL_VARIANT}, make_${NICROSCOPE_MODEL})")
endforeach()
configure_file(nic/nic_models.h.in ${directory}/sim/nic/nic_models.h @ONLY)
target_include_directories(nicroscope_sim PRIVATE ${directory})
