# tools/pages.cmake - manual pages and completions as `spean help` makes them from its table.
#
#     cmake -DSPEAN=.../spean -DOUT=FOLDER -P pages.cmake
#
# Writes FOLDER/man1/spean.1 and a page for each group, and FOLDER/completion/{bash,fish,zsh}.
function(spean_help out)
    execute_process(COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C.UTF-8 ASAN_OPTIONS=detect_leaks=0
                            ${SPEAN} help ${ARGN}
                    OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
    set(${out} "${text}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${OUT}) # A page whose group is gone would be installed.
spean_help(page --man)
file(WRITE ${OUT}/man1/spean.1 "${page}")
spean_help(table --json)
string(JSON count LENGTH "${table}" groups)
math(EXPR last "${count} - 1")
foreach(index RANGE ${last})
    string(JSON group GET "${table}" groups ${index} name)
    spean_help(page --man ${group})
    file(WRITE ${OUT}/man1/spean-${group}.1 "${page}")
endforeach()
foreach(shell bash fish zsh)
    spean_help(script --completion ${shell})
    file(WRITE ${OUT}/completion/${shell} "${script}")
endforeach()
