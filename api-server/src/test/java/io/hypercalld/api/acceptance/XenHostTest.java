package io.hypercalld.api.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The fixture is what the numbered behaviours presume. */
class XenHostTest {
  @Test
  void freshD_isOneLeafOf512Pages() {
    try (XenHost host = XenHost.start()) {
      host.freshD();

      assertThat(host.pages(XenHost.D)).isEqualTo(512);
      assertThat(host.maximumGpfn(XenHost.D)).isEqualTo("0x1ff");
      assertThat(host.lookup(XenHost.D, "0x5").get("order").asInt()).isEqualTo(9);
      assertThat(host.type(XenHost.D, "0x5")).isEqualTo("ram_rw");
      host.assertConsistent();
    }
  }
}
