package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.experiment.VcpuReachAnswer;
import io.hypercalld.api.experiment.VcpuReachAnswer.Boot;
import io.hypercalld.api.experiment.VcpuReachAnswer.Configuration;
import io.hypercalld.api.experiment.VcpuReachExperiment;
import io.hypercalld.api.experiment.VcpuReachQuestion;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.scenario.DaemonUnderTest;
import io.hypercalld.core.domain.ApicIds;
import io.hypercalld.iommu.reach.AimFormat;
import io.hypercalld.iommu.reach.SourceKind;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** S1-Q1: at 288 vCPUs 160 or 32 are out of reach, from 129 or 257 on. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class VcpuReachExperimentTest {
  private VcpuReachAnswer answer = new VcpuReachAnswer(new VcpuReachQuestion(1), List.of());

  @BeforeAll
  void run() {
    answer = VcpuReachExperiment.run(new VcpuReachQuestion(288));
  }

  @Test
  void api_tellsTheSame() {
    try (DaemonUnderTest daemon = DaemonUnderTest.on(PlatformSource.named("two-socket"))) {
      DaemonUnderTest.Answer told = daemon.post("/v1/experiments/vcpu-reach", "{\"most\":288}");

      assertThat(told.status()).as("%s", told.body()).isEqualTo(200);
      assertThat(rows(told.body()))
          .contains("2n false false 160 129", "n false false 32 257")
          .filteredOn(row -> row.contains("true"))
          .hasSize(6)
          .allMatch(row -> row.endsWith(" 0 null"));
    }
  }

  private static List<String> rows(JsonNode answer) {
    return StreamSupport.stream(answer.get("configurations").spliterator(), false)
        .map(
            row ->
                Stream.of("apicIds", "intremap", "extDestId", "unreachable", "firstBad")
                    .map(member -> row.get(member).asText())
                    .collect(Collectors.joining(" ")))
        .toList();
  }

  private Configuration configuration(ApicIds ids, boolean remapping, boolean extended) {
    return answer.configurations().stream()
        .filter(row -> row.apicIds() == ids)
        .filter(row -> row.intremap() == remapping && row.extDestId() == extended)
        .findFirst()
        .orElseThrow();
  }

  private static String boot(Configuration row, String guest) {
    Boot boot =
        row.boots().stream()
            .filter(each -> each.guest().toString().equals(guest))
            .findFirst()
            .orElseThrow();
    return "%s %d %s"
        .formatted(
            boot.boots() ? "boots" : "crashes",
            boot.online(),
            boot.firstIncomplete().map(Object::toString).orElse("-"));
  }

  @Test
  void twiceTheNumber_withoutRemapping_leaves160OutOfReachFrom129On() {
    Configuration row = configuration(ApicIds.TWICE, false, false);

    assertThat(row.unreachable()).isEqualTo(160);
    assertThat(row.firstBad()).contains(129);
    assertThat(row.sources())
        .contains(
            new VcpuReachAnswer.Source(SourceKind.IPI, AimFormat.X2APIC, 288, List.of()),
            new VcpuReachAnswer.Source(
                SourceKind.IO_APIC, AimFormat.COMPATIBILITY, 128, List.of("128-287")));
    assertThat(boot(row, "linux-2016")).isEqualTo("boots 128 129");
    assertThat(boot(row, "linux-2020")).isEqualTo("boots 128 129");
    assertThat(boot(row, "windows-8")).isEqualTo("crashes 128 129");
  }

  @Test
  void theNumber_withoutRemapping_leaves32OutOfReachFrom257On() {
    Configuration row = configuration(ApicIds.SAME, false, false);

    assertThat(row.unreachable()).isEqualTo(32);
    assertThat(row.firstBad()).contains(257);
    assertThat(boot(row, "linux-2016")).isEqualTo("boots 255 257");
    assertThat(boot(row, "linux-2020")).isEqualTo("boots 256 257");
    assertThat(boot(row, "windows-8")).isEqualTo("crashes 255 256");
  }

  @Test
  void remapping_reachesEverybody() {
    for (ApicIds ids : ApicIds.values()) {
      for (boolean extended : new boolean[] {false, true}) {
        Configuration row = configuration(ids, true, extended);

        assertThat(row.unreachable()).isZero();
        assertThat(row.firstBad()).isEmpty();
        assertThat(row.boots()).allMatch(boot -> boot.boots() && boot.online() == 288);
      }
    }
  }

  @Test
  void extendedDestinations_reachEverybody_whoKnowsThem() {
    Configuration row = configuration(ApicIds.TWICE, false, true);

    assertThat(row.unreachable()).isZero();
    assertThat(boot(row, "linux-2016")).isEqualTo("boots 128 129");
    assertThat(boot(row, "linux-2020")).isEqualTo("boots 288 -");
    assertThat(boot(row, "windows-8")).isEqualTo("crashes 128 129");
  }

  @Test
  void text_hasEveryConfiguration() {
    assertThat(answer.toText().replaceAll(" +", " "))
        .startsWith("288 vCPUs\n\nAPIC ids intremap ext-dest unreachable first bad n")
        .contains(
            "2n off off 160 129 128, from 129 on 128, from 129 on crash at 128, from 129 on",
            "n off off 32 257 255, from 257 on 256, from 257 on crash at 255, from 256 on",
            "n on on 0 none all all all");
  }
}
