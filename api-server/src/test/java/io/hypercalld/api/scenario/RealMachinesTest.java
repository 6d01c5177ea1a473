package io.hypercalld.api.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.platform.PlatformSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Boots from the tables of real machines; a device behind each unit is given, used and taken. */
class RealMachinesTest {
  private static final String WRITE =
      "{\"op\":\"write\",\"address\":\"0x1000\",\"data\":\"c0ffee\"}";

  @ParameterizedTest
  @ValueSource(strings = {"dell-r820", "framework-13-mtl", "hp-dl380e-g8", "quanta-x10e-9n"})
  void everyUnit_servesAGuest(String machine) {
    Optional<Path> platforms =
        Stream.of("../../shared/platforms", "../shared/platforms")
            .map(Path::of)
            .filter(Files::isDirectory)
            .findFirst();
    assumeTrue(platforms.isPresent(), "the tables of real machines are not here");
    Path folder = platforms.orElseThrow().resolve(machine);
    PlatformSource source =
        PlatformSource.firmware(
            folder.resolve("dmar.bin"), Optional.of(folder.resolve("lspci.txt")));
    try (DaemonUnderTest daemon = DaemonUnderTest.on(source)) {
      Map<Integer, String> devices = onePerUnit(daemon);
      assertThat(devices).isNotEmpty();
      devices.values().forEach(device -> giveUseAndTake(daemon, device));
      assertThat(daemon.get("/_sim/invariants").body().get("violations")).isEmpty();
    }
  }

  /**
   * The first device of each unit that has some, bridges and devices with reserved regions aside.
   */
  private static Map<Integer, String> onePerUnit(DaemonUnderTest daemon) {
    Map<Integer, String> devices = new TreeMap<>();
    for (JsonNode device : daemon.get("/v1/devices?limit=1000").body().get("items")) {
      boolean bridge = device.get("class").asText().startsWith("0x06");
      int unit = device.get("iommu").asInt(-1);
      String sbdf = device.get("sbdf").asText();
      boolean regions = !device.get("reservedRegions").isEmpty();
      if (!bridge && unit >= 0 && !regions) {
        devices.putIfAbsent(unit, sbdf);
      }
    }
    return devices;
  }

  private static void giveUseAndTake(DaemonUnderTest daemon, String device) {
    String guest = daemon.post("/v1/domains", "{\"memory\":\"4MiB\"}").at("/domid");
    String dma = "/v1/devices/" + device + "/dma";

    assertThat(
            daemon
                .put("/v1/devices/" + device + "/assignment", "{\"domain\":" + guest + "}")
                .status())
        .as(device)
        .isEqualTo(200);
    assertThat(daemon.post(dma, WRITE).at("/outcome")).as(device).isEqualTo("done");
    assertThat(daemon.delete("/v1/devices/" + device + "/assignment").status()).isEqualTo(204);

    DaemonUnderTest.Answer blocked = daemon.post(dma, WRITE);
    assertThat(blocked.at("/outcome")).as(device).isEqualTo("blocked");
    assertThat(blocked.at("/fault/reason")).as(device).isEqualTo("0x2");
    assertThat(blocked.body().at("/fault/recorded").asBoolean()).as(device).isTrue();
  }
}
