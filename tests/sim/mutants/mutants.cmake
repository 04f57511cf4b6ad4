# A mutant is the simulator with one wrong line in the production code: a patch applied to a copy of
# one source file at build time, linked before the library that holds the right one.
find_program(PATCH_TOOL patch REQUIRED)

function(sim_mutant name source)
  set(mutated ${CMAKE_CURRENT_BINARY_DIR}/mutants/${name}.cc)
  set(patch_file ${CMAKE_CURRENT_SOURCE_DIR}/mutants/${name}.patch)
  add_custom_command(OUTPUT ${mutated}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/mutants
    COMMAND ${PATCH_TOOL} --quiet --fuzz=3 --output=${mutated} ${PROJECT_SOURCE_DIR}/${source} ${patch_file}
    DEPENDS ${PROJECT_SOURCE_DIR}/${source} ${patch_file}
    COMMENT "Mutant ${name}: ${source}")
  meridian_program(sim_mutant_${name}
    SOURCES ${mutated} ${PROJECT_SOURCE_DIR}/tools/sim/main.cc ${PROJECT_SOURCE_DIR}/tools/sim/runner.cc
    LINKS meridian_sim fmt::fmt CLI11::CLI11 ${ARGN})
  set_target_properties(sim_mutant_${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests EXCLUDE_FROM_ALL ON)
endfunction()

sim_mutant(tie conflict/resolver.cc)

# The one that every test run shows: it is built with the tests, and must fail.
set_target_properties(sim_mutant_tie PROPERTIES EXCLUDE_FROM_ALL OFF)
add_test(NAME sim_mutant_tie COMMAND sim_mutant_tie --seeds 1..200 --stop-at-failure)
set_tests_properties(sim_mutant_tie PROPERTIES LABELS sim TIMEOUT 300
  PASS_REGULAR_EXPRESSION " [1-9][0-9]* failed")
