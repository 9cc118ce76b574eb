// A filter as clang makes one from C++: an _initialize that runs global constructors, malloc, virtual calls.
// clang++ --target=wasm32 -O2 -nostdlib -fno-exceptions -fno-rtti -Wl,--no-entry -o modules/cpp.wasm cpp/filter.cc
extern "C" {
typedef unsigned long size_t;
extern unsigned char __heap_base;
__attribute__((import_module("env"), import_name("proxy_replace_header_map_value"))) int
replace_header(int map, const char *name, size_t name_size, const char *value, size_t value_size);
__attribute__((import_module("env"), import_name("proxy_log"))) int log_line(int level, const char *text, size_t size);
void __wasm_call_ctors();
}

namespace {

struct Filter {
  virtual const char *language() const = 0;
};

struct Cpp : Filter {
  Cpp() : constructed(true) {}
  const char *language() const override { return constructed ? "c++" : "???"; }
  bool constructed;
};

Cpp filter; // constructed by _initialize
Filter *volatile current = &filter;
unsigned char *heap = &__heap_base;

} // namespace

#define EXPORT(name) extern "C" __attribute__((export_name(#name)))

EXPORT(_initialize) void initialize() { __wasm_call_ctors(); }

EXPORT(proxy_abi_version_0_2_1) void abi_version() {}

EXPORT(malloc) void *allocate(size_t size) {
  unsigned char *at = heap;
  heap += (size + 15) & ~15ul;
  return at;
}

EXPORT(proxy_on_configure) int on_configure(int, int) {
  log_line(2, "configured by C++", 17);
  return 1;
}

EXPORT(proxy_on_response_headers) int on_response_headers(int, int, int) {
  replace_header(2, "x-cpp", 5, current->language(), 3);
  return 0;
}
