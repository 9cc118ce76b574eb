// A filter as Go's own toolchain makes one (a WASI reactor): its runtime, clock and randomness, and one header.
// GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared
package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"time"
	"unsafe"
)

func main() {}

//go:wasmimport env proxy_replace_header_map_value
func replaceHeader(kind uint32, name unsafe.Pointer, nameLength uint32, value unsafe.Pointer, valueLength uint32) uint32

// What the host was given has to stay where it is.
var allocations = map[*byte][]byte{}

//go:wasmexport proxy_abi_version_0_2_1
func abiVersion() {}

//go:wasmexport proxy_on_memory_allocate
func allocate(size uint32) *byte {
	bytes := make([]byte, size)
	allocations[&bytes[0]] = bytes
	return &bytes[0]
}

//go:wasmexport proxy_on_configure
func onConfigure(root, size uint32) uint32 {
	fmt.Fprintln(os.Stdout, "configured by Go")
	return 1
}

//go:wasmexport proxy_on_response_headers
func onResponseHeaders(id, count, end uint32) uint32 {
	var random [8]byte
	rand.Read(random[:])
	name := []byte("x-go")
	value := []byte(fmt.Sprintf("%d %d", time.Now().Year(), len(random)))
	replaceHeader(2, unsafe.Pointer(&name[0]), uint32(len(name)), unsafe.Pointer(&value[0]), uint32(len(value)))
	return 0
}
