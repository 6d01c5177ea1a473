package io.hypercalld.api.client;

import java.util.List;
import java.util.stream.Stream;

/** What can be asked of guests' kernels and their drivers, by address mode. Immutable. */
final class KernelVerbs {
  private static final List<String> CALLS =
      List.of(
          "map",
          "unmap",
          "map-sg",
          "unmap-sg",
          "sync",
          "alloc-coherent",
          "free-coherent",
          "create-contiguous",
          "destroy-contiguous");

  private KernelVerbs() {}

  static List<Verb> all() {
    return Stream.concat(kernels().stream(), CALLS.stream().map(KernelVerbs::call)).toList();
  }

  private static Verb call(String name) {
    return Verb.of(
        "kernel %s DOMAIN k=v..".formatted(name),
        "POST /v1/domains/{DOMAIN}/dma-api/" + name,
        "",
        "call %s of its DMA API".formatted(name));
  }

  private static List<Verb> kernels() {
    return List.of(
        Verb.of(
            "kernel show DOMAIN",
            "GET /v1/domains/{DOMAIN}/dma-api",
            "",
            "its address mode and its bounce buffers"),
        Verb.of(
            "kernel boot DOMAIN k=v..",
            "PUT /v1/domains/{DOMAIN}/dma-api",
            "",
            "boot it anew: slabs, dmaBits, batch"),
        Verb.of("kernel halt DOMAIN", "DELETE /v1/domains/{DOMAIN}/dma-api", "", "end it"),
        Verb.of(
            "driver run DOMAIN DRIVER k=v..",
            "POST /v1/domains/{DOMAIN}/drivers/{DRIVER}",
            "",
            "have a driver work: disk, nic, blkback, netback-flip, netback-copy, ide, gart, vga,"
                + " console"),
        Verb.of(
            "explain bus DOMAIN GPA",
            "GET /v1/explain/bus ?domid=DOMAIN ?gpa=GPA",
            "",
            "what a device is told of an address"));
  }
}
