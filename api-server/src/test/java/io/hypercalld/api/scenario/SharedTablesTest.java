package io.hypercalld.api.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.platform.EmbeddedPlatforms;
import io.hypercalld.api.platform.PlatformSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Devices go through the P2M itself only where every unit understands every leaf of it. */
class SharedTablesTest {
  private static final String CAP_WITH_SUPERPAGES = "0x08d2078c106f0602";
  private static final String CAP_WITHOUT = "0x08d20780106f0602";

  @Test
  void unitWithoutSuperpages_whenSharingIsDemanded_isRefusedWithTheReason(@TempDir Path folder)
      throws IOException {
    String platform = EmbeddedPlatforms.find("two-socket").orElseThrow();
    assertThat(platform).contains(CAP_WITH_SUPERPAGES);
    Path file =
        Files.writeString(
            folder.resolve("plain.yaml"), platform.replace(CAP_WITH_SUPERPAGES, CAP_WITHOUT));
    try (DaemonUnderTest daemon = DaemonUnderTest.on(PlatformSource.named(file.toString()))) {
      String before = daemon.digest();

      DaemonUnderTest.Answer refused =
          daemon.post("/v1/domains", "{\"memory\":\"2MiB\",\"pageTables\":\"shared\"}");

      assertThat(refused.status()).isEqualTo(501);
      assertThat(refused.at("/errno")).isEqualTo("EOPNOTSUPP");
      assertThat(refused.at("/detail")).contains("iommu 0 has no leaves of 2097152 bytes");
      assertThat(daemon.digest()).isEqualTo(before);
      assertThat(daemon.post("/v1/domains", "{\"memory\":\"2MiB\"}").at("/pageTables"))
          .isEqualTo("separate");
    }
  }
}
