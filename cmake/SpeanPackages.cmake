# The libraries of docs/DECISIONS.md, each as an imported target that one folder links.
find_package(PkgConfig REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium>=1.0.18)
pkg_check_modules(MSGPACK REQUIRED IMPORTED_TARGET msgpack>=4.0.0)
pkg_check_modules(LMDB REQUIRED IMPORTED_TARGET lmdb>=0.9.24)
pkg_check_modules(ZMQ REQUIRED IMPORTED_TARGET libzmq>=4.3.4)
pkg_check_modules(EVENT REQUIRED IMPORTED_TARGET libevent>=2.1.12 libevent_pthreads)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.14)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.88)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(QRENCODE REQUIRED IMPORTED_TARGET libqrencode)
pkg_check_modules(INIH REQUIRED IMPORTED_TARGET inih)
# libcsv has no pkg-config file.
find_path(SPEAN_CSV_INCLUDE csv.h REQUIRED)
find_library(SPEAN_CSV_LIBRARY csv REQUIRED)
add_library(PkgConfig::CSV UNKNOWN IMPORTED)
set_target_properties(PkgConfig::CSV PROPERTIES IMPORTED_LOCATION ${SPEAN_CSV_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${SPEAN_CSV_INCLUDE})
find_package(Threads REQUIRED)
