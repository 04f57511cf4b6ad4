# meridian_library(NAME SOURCES ... LINKS ... PUBLIC_LINKS ...): one static library per layer.  LINKS
# are private, so that a layer sees only what it names.  meridian_program and meridian_test likewise.

function(meridian_settings target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR})
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
    # In release builds only of what the front end sees: at -O3 GCC 12 warns of what is not there.
    $<$<NOT:$<CONFIG:Release>>:-Werror>
    $<$<CONFIG:Release>:-Werror=conversion;-Werror=shadow;-Werror=pedantic;-Werror=unused>
    $<$<CONFIG:Release>:-Werror=missing-field-initializers;-Werror=return-type>
    $<$<CONFIG:Release>:-Werror=reorder;-Werror=switch>
    # Asio fences under -fsanitize=thread; and GCC 12 sees overlaps in std::string that are not there
    # (its bug 105651).
    $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan;-Wno-restrict>
    # A unity build's main file is generated, so GCC takes what is private to a source for a header's.
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<BOOL:${CMAKE_UNITY_BUILD}>>:-Wno-subobject-linkage>
    # GCC 12 moves cold code apart, and what is left empty keeps an unwind entry of length zero, which
    # some linkers prefer to its neighbour's at the same address (see the root CMakeLists.txt).
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release>>:-fno-reorder-blocks-and-partition>)
endfunction()

# Where compiling takes longer than running ever will, -O1 in place of -O3: a fifth to a third less compiling.
set(meridian_quick_build $<$<CONFIG:Release>:-O1>)

# meridian_quick_sources(FILE...): these sources of the folder's targets (CLI11 is long in optimising).
function(meridian_quick_sources)
  set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS ${meridian_quick_build})
endfunction()

function(meridian_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;PUBLIC_LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  meridian_settings(${name})
  target_link_libraries(${name} PUBLIC ${ARG_PUBLIC_LINKS} PRIVATE ${ARG_LINKS})
endfunction()

function(meridian_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  meridian_settings(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()

# A GoogleTest binary, run by ctest under the given LABEL (unit, component or sim): whole, or in so many
# SHARDS, which run beside each other.  Nothing without MERIDIAN_TESTS.
function(meridian_test name)
  if(NOT MERIDIAN_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT;SHARDS" "SOURCES;LINKS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  meridian_settings(${name})
  target_compile_options(${name} PRIVATE ${meridian_quick_build})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} GTest::gtest GTest::gmock GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(NOT ARG_SHARDS)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
    return()
  endif()
  # Each under a name of its own, after which GoogleTest names its report (tests/count.py).
  math(EXPR last "${ARG_SHARDS} - 1")
  foreach(shard RANGE ${last})
    set(link ${CMAKE_BINARY_DIR}/tests/${name}.${shard})
    file(CREATE_LINK ${name} ${link} SYMBOLIC)
    add_test(NAME ${name}.${shard} COMMAND ${link})
    set_tests_properties(${name}.${shard} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT}
      ENVIRONMENT "GTEST_TOTAL_SHARDS=${ARG_SHARDS};GTEST_SHARD_INDEX=${shard}")
  endforeach()
endfunction()
