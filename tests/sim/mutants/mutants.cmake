# A mutant is the simulator with one thing wrong in the production code: a patch applied to a copy of
# one source file at build time, linked before the library that holds the right one.
find_program(PATCH_TOOL patch REQUIRED)

# Keeps a source out of unity builds: its library must hold it as an object of its own, for another to
# stand in its place.
function(compile_alone source)
  get_filename_component(folder ${PROJECT_SOURCE_DIR}/${source} DIRECTORY)
  while(NOT EXISTS ${folder}/CMakeLists.txt)
    get_filename_component(folder ${folder} DIRECTORY)
  endwhile()
  set_source_files_properties(${PROJECT_SOURCE_DIR}/${source} DIRECTORY ${folder}
    PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

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
  compile_alone(${source})
  meridian_program(sim_mutant_${name}
    SOURCES ${mutated} $<TARGET_OBJECTS:meridian_sim_main>
    LINKS meridian_sim meridian_sqlite fmt::fmt)
  set_target_properties(sim_mutant_${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/mutants EXCLUDE_FROM_ALL ON)
  set(SIM_MUTANTS ${SIM_MUTANTS} sim_mutant_${name} PARENT_SCOPE)
endfunction()

sim_mutant(absence_is_nothing region-node/store/engine_apply.cc)
sim_mutant(absence_unaware region-node/store/engine_write.cc)
sim_mutant(ack_unchecked replicator/core/pump.cc)
sim_mutant(answer_early region-node/store/engine.cc)
sim_mutant(backlog_short region-node/store/reader.cc)
sim_mutant(barrier_ahead region-node/store/engine_watermarks.cc)
sim_mutant(barrier_any_run region-node/store/state.cc)
sim_mutant(barrier_aside region-node/store/engine_watermarks.cc)
sim_mutant(barrier_unobserved region-node/store/engine_watermarks.cc)
sim_mutant(batch_answered_early region-node/store/engine.cc)
sim_mutant(ceiling_late region-node/store/engine.cc)
sim_mutant(checkpoint_early replicator/core/pump.cc)
sim_mutant(cliquish replicator/core/pump.cc)
sim_mutant(collapse_oldest replicator/core/collapse.cc)
sim_mutant(collapse_unnamed replicator/core/collapse.cc)
sim_mutant(collected_unsaved region-node/store/engine_collect.cc)
sim_mutant(copy_cursor_early region-node/store/engine_rows.cc)
sim_mutant(copy_flows_late region-node/store/engine_apply.cc)
sim_mutant(copy_without_tombstones region-node/store/reader.cc)
sim_mutant(covered_loser region-node/store/engine_ledger.cc)
sim_mutant(drain_by_watermarks region-node/store/drain.cc)
sim_mutant(drain_from_before region-node/store/drain.cc)
sim_mutant(drain_mended region-node/store/drain.cc)
sim_mutant(drain_of_another_log region-node/store/drain.cc)
sim_mutant(drain_one_shard region-node/store/drain.cc)
sim_mutant(drain_over_parked region-node/store/drain.cc)
sim_mutant(drain_own_only region-node/store/drain.cc)
sim_mutant(echo region-node/store/reader.cc)
sim_mutant(ended_life_settled region-node/store/unsettled.cc)
sim_mutant(failed_commit_answered region-node/store/engine.cc)
sim_mutant(forgotten_tombstone region-node/store/engine_apply.cc)
sim_mutant(gap region-node/store/engine_apply.cc)
sim_mutant(hlc_from_zero region-node/store/engine.cc)
sim_mutant(horizon_of_one conflict/stable_horizon.cc)
sim_mutant(isolationist replicator/core/pump.cc)
sim_mutant(late_sync_unguarded common/sqlite/late_sync.cc)
sim_mutant(lease_double checkpoint/lease.cc)
sim_mutant(lost_ledger_denies region-node/store/engine_repair.cc)
sim_mutant(never_withdrawn region-node/store/engine_ledger.cc)
sim_mutant(no_context region-node/store/engine_write.cc)
sim_mutant(no_hold region-node/store/engine_apply.cc)
sim_mutant(no_link region-node/store/item_log.cc)
sim_mutant(no_observe region-node/store/engine_apply.cc)
sim_mutant(no_return replicator/core/pump.cc)
sim_mutant(no_window replicator/core/pump.cc)
sim_mutant(noop_in_stream region-node/store/engine_write.cc)
sim_mutant(pin_after_walk tests/sim/sim_repairer.cc)
sim_mutant(poison_applied region-node/store/engine_apply.cc)
sim_mutant(poison_lost region-node/store/engine_apply.cc)
sim_mutant(poison_stays region-node/store/engine_write.cc)
sim_mutant(poison_stops region-node/store/engine_apply.cc)
sim_mutant(position_ahead region-node/store/engine_apply.cc)
sim_mutant(renew_one_peer region-node/store/engine_repair.cc)
sim_mutant(repair_keeps_watermarks region-node/store/engine_watermarks.cc)
sim_mutant(repair_one_way region-node/repair/session.cc)
sim_mutant(repair_revives region-node/repair/rules.cc)
sim_mutant(repair_without_tombstones region-node/repair/digest.cc)
sim_mutant(restored_same_life region-node/store/engine_repair.cc)
sim_mutant(save_unfenced checkpoint/rows.cc)
sim_mutant(second_record region-node/store/engine_apply.cc)
sim_mutant(second_stream_record region-node/store/engine_apply.cc)
sim_mutant(selfish region-node/store/engine_apply.cc)
sim_mutant(settings_last_told region-node/store/settings.cc)
sim_mutant(silent_noop region-node/store/engine_write.cc)
sim_mutant(start_unasked region-node/store/engine_clock.cc)
sim_mutant(sync_failure_ignored region-node/store/engine.cc)
sim_mutant(sync_normal region-node/store/schema.cc)
sim_mutant(sync_off region-node/store/schema.cc)
sim_mutant(tie conflict/resolver.cc)
sim_mutant(told_once replicator/core/pump.cc)
sim_mutant(unlisted_local region-node/store/engine_ledger.cc)
sim_mutant(wal_not_settled region-node/store/engine.cc)
sim_mutant(watermark_any_shard region-node/store/state.cc)
sim_mutant(watermark_past_parked region-node/store/engine_watermarks.cc)
sim_mutant(watermark_while_copying region-node/store/engine_watermarks.cc)
sim_mutant(withdraw_below region-node/store/ledger_store.cc)

add_custom_target(sim_mutants DEPENDS ${SIM_MUTANTS})

# Most are built seldom; that their patches still apply is seen at once.
add_test(NAME sim_mutants_apply COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/mutants/run --apply)
set_tests_properties(sim_mutants_apply PROPERTIES LABELS unit TIMEOUT 60)

# Those that every test run shows: built with the tests, and they must fail.  The rest is for
# tests/sim/mutants/run.
set(SIM_MUTANTS_SHOWN tie isolationist wal_not_settled)
foreach(name ${SIM_MUTANTS_SHOWN})
  set_target_properties(sim_mutant_${name} PROPERTIES EXCLUDE_FROM_ALL OFF)
  add_test(NAME sim_mutant_${name} COMMAND sim_mutant_${name} --seeds 1..200 --stop-at-failure)
  set_tests_properties(sim_mutant_${name} PROPERTIES LABELS sim TIMEOUT 300
    PASS_REGULAR_EXPRESSION " [1-9][0-9]* failed")
endforeach()

# Runs that once failed, shortened.  Each passes; one that is named after a mutant fails with it.
file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/scripts/*.script)
foreach(script ${scripts})
  get_filename_component(name ${script} NAME_WE)
  add_test(NAME sim_script_${name} COMMAND sim --script ${script})
  set_tests_properties(sim_script_${name} PROPERTIES LABELS sim TIMEOUT 60)
  if(name IN_LIST SIM_MUTANTS_SHOWN)
    add_test(NAME sim_script_${name}_mutant COMMAND sim_mutant_${name} --script ${script})
    set_tests_properties(sim_script_${name}_mutant PROPERTIES LABELS sim TIMEOUT 60
      PASS_REGULAR_EXPRESSION "FAILED")
  endif()
endforeach()
