package io.hypercalld.iommu.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SbdfTest {
  @Test
  void parse_longAndShortForm_nameTheSameFunction() {
    assertThat(Sbdf.parse("0000:03:1f.7")).isEqualTo(new Sbdf(0, 3, 0x1f, 7));
    assertThat(Sbdf.parse("03:1F.7")).isEqualTo(new Sbdf(0, 3, 0x1f, 7));
    assertThat(Sbdf.parse("ffff:ff:1f.7")).hasToString("ffff:ff:1f.7");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "03:00", "03:00.8", "03:20.0", "10000:03:00.0", "03:00.0 ", "3.0", "-3:00.0"})
  void parse_anythingElse_isRefused(String text) {
    assertThatThrownBy(() -> Sbdf.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void machineSbdf_anyAddress_isReversible() {
    Sbdf sbdf = new Sbdf(0x8001, 0x80, 0x1f, 7);

    assertThat(sbdf.machineSbdf()).isEqualTo(0x8001_80ff);
    assertThat(Sbdf.ofMachineSbdf(sbdf.machineSbdf())).isEqualTo(sbdf);
  }

  @Test
  void sourceId_anyAddress_isBusDeviceFunction() {
    SourceId id = Sbdf.parse("03:10.5").sourceId();

    assertThat(id.value()).isEqualTo(0x0385);
    assertThat(id.bus()).isEqualTo(3);
    assertThat(id.device()).isEqualTo(0x10);
    assertThat(id.function()).isEqualTo(5);
    assertThat(id.devfn()).isEqualTo(0x85);
    assertThat(id).hasToString("03:10.5");
  }
}
