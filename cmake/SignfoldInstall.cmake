# `cmake --install`: the program, one library of all folders but experiment and cli, its headers, and the files by which
# find_package(signfold) and pkg-config find it. Nothing installed knows where it was built: prefixes are relative.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(folders base simd prior source transform encoder theory decoder training codec)
set(objects)
foreach(folder ${folders})
  list(APPEND objects $<TARGET_OBJECTS:signfold_${folder}>)
endforeach()
add_library(signfold_library ${objects})  # static, or shared with -DBUILD_SHARED_LIBS=ON
set_target_properties(signfold_library PROPERTIES
  OUTPUT_NAME signfold EXPORT_NAME signfold LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
target_compile_features(signfold_library PUBLIC cxx_std_20)
target_link_libraries(signfold_library
  PUBLIC fmt::fmt nlohmann_json::nlohmann_json
  PRIVATE ZLIB::ZLIB Threads::Threads)
# By name, so that no path of this machine gets into what is installed.
target_link_libraries(signfold_library PRIVATE lapacke openblas hwy_by_name xxhash_by_name)
foreach(name hwy xxhash)
  add_library(${name}_by_name INTERFACE)
  target_link_libraries(${name}_by_name INTERFACE -l${name})
endforeach()
target_include_directories(signfold_library PUBLIC
  $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

install(TARGETS signfold RUNTIME COMPONENT signfold_program)
install(TARGETS signfold_library hwy_by_name xxhash_by_name EXPORT signfoldTargets COMPONENT signfold_library)
install(FILES ${CMAKE_SOURCE_DIR}/src/signfold/signfold.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/signfold
  COMPONENT signfold_library)
foreach(folder ${folders})
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/src/signfold/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/signfold
    COMPONENT signfold_library FILES_MATCHING PATTERN "*.h"
    PATTERN "*_test.h" EXCLUDE PATTERN "testing.h" EXCLUDE PATTERN "*-inl.h" EXCLUDE)
endforeach()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/signfold)
install(EXPORT signfoldTargets NAMESPACE signfold:: DESTINATION ${package_dir} COMPONENT signfold_library)
write_basic_package_version_file(signfoldConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_SOURCE_DIR}/cmake/signfoldConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/signfoldConfigVersion.cmake
  DESTINATION ${package_dir} COMPONENT signfold_library)
file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${CMAKE_SOURCE_DIR}/cmake/signfold.pc.in signfold.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/signfold.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT signfold_library)
