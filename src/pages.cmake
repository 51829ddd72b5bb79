# What the program tells of itself, as files to install: the manual page and the completions.
#   cmake -D PROGRAM=<infoplane> -D OUT=<folder> -P pages.cmake
cmake_minimum_required(VERSION 3.20)
file(MAKE_DIRECTORY ${OUT})
set(ENV{ASAN_OPTIONS} detect_leaks=0)
# One process alone, also where the build is a task of Slurm.
foreach(name OMPI_COMM_WORLD_SIZE SLURM_STEP_NUM_TASKS)
  unset(ENV{${name}})
endforeach()

function(ip_page file)
  execute_process(COMMAND ${PROGRAM} ${ARGN} OUTPUT_FILE ${OUT}/${file} RESULT_VARIABLE failed)
  if(failed)
    file(REMOVE ${OUT}/${file})
    message(FATAL_ERROR "${PROGRAM} ${ARGN}: ${failed}")
  endif()
endfunction()

ip_page(infoplane.1 help --man)
ip_page(infoplane.bash completion bash)
ip_page(_infoplane completion zsh)
ip_page(infoplane.fish completion fish)
