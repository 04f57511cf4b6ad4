# The simulator as a library.  Included by tools/sim, because the program `sim` is built without tests
# too; tests/sim adds the tests to it.
set(SIM_DIR ${PROJECT_SOURCE_DIR}/tests/sim)
meridian_library(meridian_sim
  SOURCES ${SIM_DIR}/event_queue.cc ${SIM_DIR}/faults.cc ${SIM_DIR}/flow_driver.cc
    ${SIM_DIR}/history.cc ${SIM_DIR}/judge.cc ${SIM_DIR}/judge_replay.cc ${SIM_DIR}/network.cc
    ${SIM_DIR}/run.cc ${SIM_DIR}/shape.cc ${SIM_DIR}/sim_node.cc ${SIM_DIR}/sim_replicator.cc
    ${SIM_DIR}/store_host.cc ${SIM_DIR}/stream_watch.cc ${SIM_DIR}/trace.cc ${SIM_DIR}/workload.cc
    ${SIM_DIR}/world.cc
  PUBLIC_LINKS meridian_store meridian_replicator_core meridian_model meridian_conflict fmt::fmt)
