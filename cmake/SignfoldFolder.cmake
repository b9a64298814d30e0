# One CMake target per folder of src/signfold, with its tests and micro-benchmarks beside the code they prove:
#   NAME.cc            goes into   signfold_FOLDER
#   NAME_test.cc       goes into   signfold_FOLDER_tests
#   NAME_slow_test.cc  goes into   signfold_FOLDER_slow_tests   (ctest label: slow)
#   NAME_bench.cc      goes into   signfold_FOLDER_bench
set(SIGNFOLD_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor)
if(SIGNFOLD_WERROR)
  list(APPEND SIGNFOLD_WARNINGS -Werror)
endif()
# No fused multiply-add behind our back: codes must be the same bytes on every machine.
add_compile_options(-ffp-contract=off)

set(SIGNFOLD_TEST_TIMEOUT 600 CACHE STRING "Seconds that one test may take; sanitizers need more")

# Builds every benchmark and comparison; dev/bench runs them.
add_custom_target(signfold_benchmarks)

function(signfold_tests name label)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE GTest::gmock GTest::gtest_main rapidcheck)
  target_compile_options(${name} PRIVATE ${SIGNFOLD_WARNINGS})
  target_compile_definitions(${name} PRIVATE
    SIGNFOLD_SOURCE_DIR="${CMAKE_SOURCE_DIR}" SIGNFOLD_PYTHON="${Python3_EXECUTABLE}")
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 120
    PROPERTIES LABELS ${label} TIMEOUT ${SIGNFOLD_TEST_TIMEOUT} ENVIRONMENT "RC_PARAMS=seed=1")  # of RapidCheck
endfunction()

function(signfold_folder folder)
  cmake_parse_arguments(ARG "" "" "PUBLIC;PRIVATE" ${ARGN})
  set(root ${CMAKE_SOURCE_DIR}/src/signfold/${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${root}/*.cc)
  file(GLOB tests CONFIGURE_DEPENDS ${root}/*_test.cc)
  file(GLOB slow_tests CONFIGURE_DEPENDS ${root}/*_slow_test.cc)
  file(GLOB benches CONFIGURE_DEPENDS ${root}/*_bench.cc)
  list(REMOVE_ITEM sources ${tests} ${benches} ${root}/main.cc)
  list(REMOVE_ITEM tests ${slow_tests})

  set(target signfold_${folder})
  add_library(${target} STATIC ${sources})
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX)
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${target} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  target_compile_options(${target} PRIVATE ${SIGNFOLD_WARNINGS})

  if(SIGNFOLD_TESTS AND tests)
    signfold_tests(${target}_tests fast ${tests})
    target_link_libraries(${target}_tests PRIVATE ${target})
  endif()
  if(SIGNFOLD_TESTS AND slow_tests)
    signfold_tests(${target}_slow_tests slow ${slow_tests})
    target_link_libraries(${target}_slow_tests PRIVATE ${target})
  endif()
  if(SIGNFOLD_BENCH AND benches)
    add_executable(${target}_bench ${benches})
    target_link_libraries(${target}_bench PRIVATE ${target} benchmark::benchmark_main)
    target_compile_options(${target}_bench PRIVATE ${SIGNFOLD_WARNINGS})
    add_dependencies(signfold_benchmarks ${target}_bench)
  endif()
endfunction()
