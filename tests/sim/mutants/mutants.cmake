# A mutant is the simulator with one thing wrong in the production code: a patch applied to a copy of
# one source file at build time, linked before the library that holds the right one.
find_program(PATCH_TOOL patch REQUIRED)

# Declares sim_mutant_NAME from NAME.patch on SOURCE; build all of them with the target sim_mutants.
function(sim_mutant name source)
  set(mutated ${CMAKE_CURRENT_BINARY_DIR}/mutants/${name}.cc)
  set(patch_file ${CMAKE_CURRENT_SOURCE_DIR}/mutants/${name}.patch)
  add_custom_command(OUTPUT ${mutated}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/mutants
    COMMAND ${PATCH_TOOL} --quiet --fuzz=3 --output=${mutated} ${PROJECT_SOURCE_DIR}/${source}
      ${patch_file}
    DEPENDS ${PROJECT_SOURCE_DIR}/${source} ${patch_file}
    COMMENT "Mutant ${name}: ${source}")
  meridian_program(sim_mutant_${name}
    SOURCES ${mutated} ${PROJECT_SOURCE_DIR}/tools/sim/main.cc
      ${PROJECT_SOURCE_DIR}/tools/sim/runner.cc
    LINKS meridian_sim meridian_sqlite fmt::fmt CLI11::CLI11)
  set_target_properties(sim_mutant_${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/mutants EXCLUDE_FROM_ALL ON)
  set(SIM_MUTANTS ${SIM_MUTANTS} sim_mutant_${name} PARENT_SCOPE)
endfunction()

sim_mutant(ack_unchecked replicator/core/pump.cc)
sim_mutant(answer_early region-node/store/engine.cc)
sim_mutant(backlog_short region-node/store/reader.cc)
sim_mutant(ceiling_late region-node/store/engine.cc)
sim_mutant(checkpoint_early replicator/core/pump.cc)
sim_mutant(cliquish replicator/core/pump.cc)
sim_mutant(echo region-node/store/reader.cc)
sim_mutant(forgotten_tombstone region-node/store/engine_apply.cc)
sim_mutant(gap region-node/store/engine_apply.cc)
sim_mutant(hlc_from_zero region-node/store/engine.cc)
sim_mutant(isolationist replicator/core/pump.cc)
sim_mutant(no_context region-node/store/engine_write.cc)
sim_mutant(no_hold region-node/store/engine_apply.cc)
sim_mutant(no_link region-node/store/item_log.cc)
sim_mutant(no_observe region-node/store/engine_apply.cc)
sim_mutant(no_return replicator/core/pump.cc)
sim_mutant(no_window replicator/core/pump.cc)
sim_mutant(noop_in_stream region-node/store/engine_write.cc)
sim_mutant(position_ahead region-node/store/engine_apply.cc)
sim_mutant(second_record region-node/store/engine_apply.cc)
sim_mutant(second_stream_record region-node/store/engine_apply.cc)
sim_mutant(selfish region-node/store/engine_apply.cc)
sim_mutant(silent_noop region-node/store/engine_write.cc)
sim_mutant(tie conflict/resolver.cc)

add_custom_target(sim_mutants DEPENDS ${SIM_MUTANTS})

# Those that every test run shows: built with the tests, and they must fail.  The rest is for
# tests/sim/mutants/run.
foreach(name tie isolationist)
  set_target_properties(sim_mutant_${name} PROPERTIES EXCLUDE_FROM_ALL OFF)
  add_test(NAME sim_mutant_${name} COMMAND sim_mutant_${name} --seeds 1..200 --stop-at-failure)
  set_tests_properties(sim_mutant_${name} PROPERTIES LABELS sim TIMEOUT 300
    PASS_REGULAR_EXPRESSION " [1-9][0-9]* failed")
endforeach()
