package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.platform.EmbeddedPlatforms;
import io.hypercalld.api.platform.PlatformSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Devices that the driver has keep translations: spec/vtd.md 5.5, 5.9, and policy ats. */
final class AtsAcceptanceTest implements AssignmentBehaviours {
  private static final String VF = "0000:03:10.0";
  private static final String WITHOUT = "0000:04:10.0";

  @Override
  public AssignmentHost start() {
    return host("");
  }

  /** A card with ATS behind a unit with device-TLBs, and one without. */
  private static AssignmentHost host(String more) {
    String text =
        EmbeddedPlatforms.find("awkward-devices")
            .orElseThrow()
            .replace("ecap: 0x20c3", "ecap: 0x20c7")
            .replace("address: \"0000:03:00.0\"", "address: \"0000:03:00.0\"\n    ats: true");
    try {
      Path file = Files.createTempFile("ats", ".yaml");
      Files.writeString(file, text + "\n" + more);
      try {
        return AssignmentHost.on(PlatformSource.named(file.toString()));
      } finally {
        Files.delete(file);
      }
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  @Override
  public void begin(AssignmentHost host) {
    AssignmentBehaviours.super.begin(host);
    host.policies("'ats':'on'");
  }

  private static boolean keeps(AssignmentHost h, String sbdf) {
    return h.device(sbdf).get("keepsTranslations").asBoolean();
  }

  private static JsonNode kept(AssignmentHost h) {
    return h.daemon().get("/_sim/devices/" + VF + "/ats").body().get("kept");
  }

  @Override
  public Stream<Row<AssignmentHost>> rows() {
    return Stream.of(
        row(
            "- a device with the capability keeps translations while a guest has it",
            h -> {
              int guest = h.guest();
              h.given(guest, VF);
              h.given(guest, WITHOUT);
              assertThat(keeps(h, VF)).isTrue();
              assertThat(keeps(h, WITHOUT)).isFalse();
              assertThat(h.outcome(VF, 0x5000)).isEqualTo("done");
              assertThat(kept(h)).hasSize(1);

              assertThat(h.xen().decrease(guest, "0x5")).isEqualTo(1);

              assertThat(kept(h)).isEmpty();
              h.outcome(VF, 0x6000);
              h.deassign(guest, VF);
              assertThat(keeps(h, VF)).isFalse();
              assertThat(kept(h)).isEmpty();
            }),
        row(
            "- what it kept of one owner is gone with the next",
            h -> {
              int first = h.guest();
              h.given(first, VF);
              String old = h.maddr(VF, 0x5000);
              h.deassign(first, VF);
              int second = h.guest();
              h.given(second, VF);
              assertThat(keeps(h, VF)).isTrue();
              assertThat(h.maddr(VF, 0x5000)).isNotEqualTo(old);
            }),
        row(
            "- one that does not forget crashes its domain, is broken, and keeps nothing more",
            h -> {
              int guest = h.guest();
              h.given(guest, VF);
              h.outcome(VF, 0x5000);
              h.timeOut(VF, "dev-iotlb", 0, 1);

              assertThat(h.xen().decrease(guest, "0x5")).isEqualTo(1);

              assertThat(h.daemon().get("/v1/domains/" + guest).at("/state")).isEqualTo("shutdown");
              assertThat(h.state(VF)).isEqualTo("broken");
              assertThat(keeps(h, VF)).isFalse();
              assertThat(kept(h)).isEmpty();
              h.daemon().delete("/v1/domains/" + guest);
            }),
        row(
            "- a refused assignment leaves what it kept to the owner",
            h -> {
              int guest = h.guest();
              h.given(guest, VF);
              h.deassign(guest, VF);
              h.deassign(AssignmentHost.IO, VF);
              assertThat(keeps(h, VF)).as("dom0 has it").isTrue();
              h.timeOut(VF, "context", 0, 1);

              assertThat(h.assign(guest, VF)).isEqualTo(AssignmentHost.EIO);

              assertThat(h.owner(VF)).isZero();
              assertThat(keeps(h, VF)).isTrue();
            }),
        row(
            "- without the policy, or below a port that firmware does not name, none does",
            h -> {
              h.policies("'ats':'off'");
              int guest = h.guest();
              h.given(guest, VF);
              assertThat(keeps(h, VF)).isFalse();
              try (AssignmentHost elsewhere = host("atsPorts: [\"0000:00:02.0\"]\n")) {
                elsewhere.policies("'ats':'on'");
                elsewhere.given(elsewhere.guest(), VF);
                assertThat(keeps(elsewhere, VF)).isFalse();
              }
              try (AssignmentHost named = host("atsPorts: [\"0000:00:01.0\"]\n")) {
                named.policies("'ats':'on'");
                named.given(named.guest(), VF);
                assertThat(keeps(named, VF)).isTrue();
              }
            }));
  }
}
