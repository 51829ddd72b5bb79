# Data flows one way: a room may include its own header and those named after its colon.
# Run as a test:  cmake -D ROOT=<top level> -P tests/style/rooms.cmake
cmake_minimum_required(VERSION 3.20)

set(plan
  "core      :"
  "lanes     :" # second header of numerics, for kernels
  "numerics  : core lanes"
  "rng       : core numerics lanes"
  "dataset   : core numerics rng"
  "network   : core numerics lanes rng"
  "estimator : core numerics lanes"
  "bottleneck : core numerics"
  "options   : core dataset network estimator"
  "study     : core numerics rng dataset network estimator bottleneck options"
  "store     : core numerics dataset network estimator bottleneck options study"
  "view      : core numerics rng network bottleneck options study store"
  "cli       : core numerics rng dataset network estimator bottleneck options study store view")
# Where MPI and HDF5 are spoken. core: PETSc's error handler has a communicator.
set(speak_mpi "^(core/error\\.c|core\\.h|study/schedule.*|study\\.h|store/.*|store\\.h|cli/.*|cli\\.h)$")
set(speak_hdf5 "^(dataset/(container_)?hdf5\\.c|store/.*|store\\.h|cli/.*)$")

# Lines of the file that match are an error.
function(forbid file regex what)
  file(STRINGS ${file} lines REGEX "${regex}")
  foreach(line IN LISTS lines)
    message(SEND_ERROR "${file}: ${what}: ${line}")
  endforeach()
endfunction()

function(check_includes file room allowed)
  file(STRINGS ${file} includes REGEX "^ *# *include *[<\"]infoplane/[a-z_]+\\.h")
  foreach(include IN LISTS includes)
    string(REGEX REPLACE ".*infoplane/([a-z_]+)\\.h.*" "\\1" other "${include}")
    if(NOT other STREQUAL room AND NOT other IN_LIST allowed)
      message(SEND_ERROR "${file}: ${room} may not look into ${other}")
    endif()
  endforeach()
  forbid(${file} "^ *# *include *\"[^\"]*/" "private headers stay in their room")
endfunction()

set(rooms "")
foreach(row IN LISTS plan)
  string(REGEX MATCH "^([a-z]+) *:(.*)$" row "${row}")
  set(room ${CMAKE_MATCH_1})
  list(APPEND rooms ${room})
  string(REGEX MATCHALL "[a-z]+" allowed "${CMAKE_MATCH_2}")
  file(GLOB files ${ROOT}/include/infoplane/${room}.h ${ROOT}/src/${room}/*.[ch]
       ${ROOT}/src/${room}/*.def)
  foreach(file IN LISTS files)
    check_includes(${file} ${room} "${allowed}")
    string(REGEX REPLACE "^.*/(src|include/infoplane)/" "" place "${file}")
    if(NOT place MATCHES "${speak_mpi}")
      forbid(${file} "(^|[^A-Z_])MPI_[A-Z]|PETSC_COMM_WORLD" "serial, but names MPI")
    endif()
    if(NOT place MATCHES "${speak_hdf5}")
      forbid(${file} "(^|[^A-Za-z0-9_])(H5[A-Z]+[a-z]|hid_t|hdf5\\.h)" "names HDF5")
    endif()
  endforeach()
endforeach()

# No header and no folder outside the plan; every header says what it is.
file(GLOB headers ${ROOT}/include/infoplane/*.h)
foreach(header IN LISTS headers)
  cmake_path(GET header STEM name)
  file(STRINGS ${header} opens REGEX "^(#pragma once|/\\*\\* @file)")
  if(NOT name IN_LIST rooms OR NOT opens STREQUAL "#pragma once;/** @file")
    message(SEND_ERROR "${header}: no room of the plan, or does not open with #pragma once and /** @file")
  endif()
endforeach()
file(GLOB folders RELATIVE ${ROOT}/src ${ROOT}/src/*)
foreach(folder IN LISTS folders)
  if(IS_DIRECTORY ${ROOT}/src/${folder} AND NOT folder IN_LIST rooms)
    message(SEND_ERROR "src/${folder}: no such room in tests/style/rooms.cmake")
  endif()
endforeach()
