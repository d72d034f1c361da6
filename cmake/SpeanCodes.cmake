# Write what was made, if it is not there already: what is older than its sources is built again.
function(spean_write_table table out)
    set(before "")
    if(EXISTS ${out})
        file(READ ${out} before)
    endif()
    if(NOT table STREQUAL before)
        file(WRITE ${out} "${table}")
    endif()
endfunction()

# Compile protocol/codelists.csv into the program: one C initialiser per row, made when configuring
# and again whenever the table changes. Rows are list,code,label_en,label_ja,maps_to without quotes,
# so that one expression reads them and anything else stops the build here.
function(spean_generate_codes csv out)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${csv})
    file(READ ${csv} rows)
    if(rows MATCHES "[\"\\\\]")
        message(FATAL_ERROR "${csv}: no quotes or backslashes in code lists")
    endif()

    string(REGEX REPLACE "^list,code,label_en,label_ja,maps_to\n" "" rows "${rows}")
    string(REGEX REPLACE "([a-z0-9_]+),([a-z0-9_.:-]+),([^,\n]+),([^,\n]*),([^,\n]*)\n"
           "    {\"\\1\", \"\\2\", \"\\3\", \"\\4\", \"\\5\"},\n" rows "${rows}")
    string(REGEX REPLACE "    {\"[^\n]*\"},\n" "" strays "${rows}")
    if(NOT strays STREQUAL "")
        message(FATAL_ERROR "${csv}: not five fields: ${strays}")
    endif()

    spean_write_table("/* Made from protocol/codelists.csv by cmake/SpeanCodes.cmake. */\n${rows}" ${out})
endfunction()

# The same for protocol/currencies.csv: rows of a currency and its digits.
function(spean_generate_currencies csv out)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${csv})
    file(READ ${csv} rows)
    string(REGEX REPLACE "^currency,digits\n" "" rows "${rows}")
    string(REGEX REPLACE "([A-Z][A-Z][A-Z]),([0-4])\n" "    {\"\\1\", \\2},\n" rows "${rows}")
    string(REGEX REPLACE "    {[^\n]*},\n" "" strays "${rows}")
    if(NOT strays STREQUAL "")
        message(FATAL_ERROR "${csv}: no currency and digits: ${strays}")
    endif()
    spean_write_table("/* Made from protocol/currencies.csv by cmake/SpeanCodes.cmake. */\n${rows}" ${out})
endfunction()
