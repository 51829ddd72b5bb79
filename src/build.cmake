# What this program was made from, for the file that keeps its results: writes the header
#
#   IP_VERSION   "0.1.0"
#   IP_COMMIT    "a1b2c3d", "a1b2c3d-dirty", or "unknown" without git
#   IP_COMPILER  "GNU 12.2.0"
#   IP_BUILD     16 hex digits: a hash of all that numbers depend on, that is the sources of floors
#                0 to 2 (but for those of predictions), compiler and flags. Two builds of equal
#                IP_BUILD give equal bits.
#   IP_MODEL     the same with predictions: what the measured speeds of a machine belong to
#
# Run at every build; the header is touched only when its text changes.
#   cmake -D ROOT=<top level> -D OUT=<header> -D VERSION=... -D COMPILER=... -D FLAGS=... -P build.cmake
cmake_minimum_required(VERSION 3.20)

set(rooms core numerics rng dataset network estimator options study)
set(above store view cli) # rooms that hand numbers on and change none
# They say how long a run will take, which comes first and whether a rank hangs, and no number of a
# result comes from them. (share.c is not among them: a file's rows are the runs that it deals.)
set(predictions include/infoplane/cost.def src/study/cost.c src/study/simulate.c
  src/study/order.c src/study/order.h src/study/silence.c src/study/silence.h)

set(sources "")
foreach(room IN LISTS rooms)
  file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/src/${room}/*.c ${ROOT}/src/${room}/*.h
       ${ROOT}/src/${room}/*.def)
  list(APPEND sources ${files})
endforeach()
file(GLOB headers RELATIVE ${ROOT} ${ROOT}/include/infoplane/*)
foreach(header IN LISTS headers)
  cmake_path(GET header STEM name)
  if(NOT name IN_LIST above)
    list(APPEND sources ${header})
  endif()
endforeach()
list(SORT sources) # by byte: the same order everywhere

set(build "${COMPILER}\n${FLAGS}\n")
set(model "")
foreach(source IN LISTS sources)
  file(SHA256 ${ROOT}/${source} hash)
  if(source IN_LIST predictions)
    string(APPEND model "${source} ${hash}\n")
  else()
    string(APPEND build "${source} ${hash}\n")
  endif()
endforeach()
string(SHA256 model "${build}${model}")
string(SHA256 build "${build}")
string(SUBSTRING ${model} 0 16 model)
string(SUBSTRING ${build} 0 16 build)

set(commit unknown)
find_program(git git)
if(git)
  cmake_path(GET ROOT PARENT_PATH parent)
  set(ENV{GIT_CEILING_DIRECTORIES} ${parent}) # a repository around us is not ours
  set(ENV{GIT_OPTIONAL_LOCKS} 0)
  execute_process(COMMAND ${git} -C ${ROOT} describe --always --dirty --abbrev=7 --exclude=*
    RESULT_VARIABLE failed OUTPUT_VARIABLE described ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT failed)
    set(commit ${described})
  endif()
endif()

file(CONFIGURE OUTPUT ${OUT} CONTENT [[#pragma once

/** @file
 *  What this program was made from; written by src/build.cmake.
 */

#define IP_VERSION  "@VERSION@"
#define IP_COMMIT   "@commit@"
#define IP_COMPILER "@COMPILER@"
#define IP_BUILD    "@build@"
#define IP_MODEL    "@model@"
]] @ONLY)
