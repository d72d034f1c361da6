# Warnings, hardening and sanitizers, carried by one interface target that every target links.
# NDEBUG is never defined: asserts state our own mistakes and stay on in every preset.
option(SPEAN_WERROR "Treat warnings as errors" OFF)
option(SPEAN_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(SPEAN_TSAN "Build with ThreadSanitizer, which goes with no other sanitizer" OFF)
option(SPEAN_COVERAGE "Count which lines run, for gcov" OFF)
option(SPEAN_FUZZ "Build libFuzzer targets (clang only)" OFF)

include(CheckCCompilerFlag)

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g3")
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(spean_options INTERFACE)
target_include_directories(spean_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(spean_options INTERFACE _POSIX_C_SOURCE=200809L)
target_compile_options(spean_options INTERFACE
    -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
    -Wmissing-prototypes -Wswitch-enum -Wvla -Wformat=2 -Wundef -Wcast-qual
    -fno-omit-frame-pointer -fstack-protector-strong)
target_link_options(spean_options INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)

if(SPEAN_WERROR)
    target_compile_options(spean_options INTERFACE -Werror)
endif()
if(SPEAN_SANITIZE AND SPEAN_TSAN)
    message(FATAL_ERROR "SPEAN_SANITIZE and SPEAN_TSAN exclude each other")
endif()
if(SPEAN_SANITIZE)
    target_compile_options(spean_options INTERFACE
        -fsanitize=address,undefined -fno-sanitize-recover=undefined)
    target_link_options(spean_options INTERFACE -fsanitize=address,undefined)
elseif(SPEAN_TSAN)
    target_compile_options(spean_options INTERFACE -fsanitize=thread)
    target_link_options(spean_options INTERFACE -fsanitize=thread)
else()
    target_compile_options(spean_options INTERFACE
        $<$<CONFIG:Release>:-U_FORTIFY_SOURCE> $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=3>)
    # No page of a stack is skipped. (-fcf-protection does nothing: Debian's crt1.o does not bear it.)
    check_c_compiler_flag(-fstack-clash-protection SPEAN_HAS_STACK_CLASH)
    if(SPEAN_HAS_STACK_CLASH)
        target_compile_options(spean_options INTERFACE $<$<CONFIG:Release>:-fstack-clash-protection>)
    endif()
endif()
if(SPEAN_COVERAGE)
    target_compile_options(spean_options INTERFACE --coverage -fprofile-update=atomic)
    target_link_options(spean_options INTERFACE --coverage)
endif()
if(SPEAN_FUZZ)
    target_compile_options(spean_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
