package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.experiment.RetargetAnswer;
import io.hypercalld.api.experiment.RetargetAnswer.Cost;
import io.hypercalld.api.experiment.RetargetAnswer.Device;
import io.hypercalld.api.experiment.RetargetAnswer.Lacking;
import io.hypercalld.api.experiment.RetargetAnswer.Road;
import io.hypercalld.api.experiment.RetargetExperiment;
import io.hypercalld.api.experiment.RetargetQuestion;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.scenario.DaemonUnderTest;
import java.util.List;
import org.junit.jupiter.api.Test;

/** S1-Q7: a thousand retargets on both roads. */
class RetargetExperimentTest {
  @Test
  void bothRoads_areCountedToTheLastExit() {
    RetargetAnswer answer = RetargetExperiment.run(new RetargetQuestion(288, 1000));

    assertThat(answer.costs())
        .containsExactly(
            new Cost(Road.VIOMMU, Device.EMULATED, 7000, 1000, 0, 0, 0, 1000),
            new Cost(Road.VIOMMU, Device.PASSTHROUGH, 7000, 1000, 0, 0, 1000, 1000),
            new Cost(Road.EXT_DEST, Device.EMULATED, 5000, 5000, 5000, 0, 0, 1000),
            new Cost(Road.EXT_DEST, Device.PASSTHROUGH, 5000, 5000, 4000, 1000, 0, 1000));
    assertThat(answer.migration()).extracting(row -> row.fields().size()).containsExactly(57, 1);
    assertThat(answer.lacking())
        .isEqualTo(List.of(new Lacking(Road.VIOMMU, 0, 288), new Lacking(Road.EXT_DEST, 160, 128)));
    assertThat(answer.toText().replaceAll(" +", " "))
        .contains("viommu passthrough 7,000 1,000 0 0 1,000 1,000", "ext-dest 160 128");
  }

  @Test
  void api_tellsTheSame() {
    try (DaemonUnderTest daemon = DaemonUnderTest.on(PlatformSource.named("two-socket"))) {
      DaemonUnderTest.Answer told = daemon.post("/v1/experiments/msi-retargets", "{}");

      assertThat(told.status()).as("%s", told.body()).isEqualTo(200);
      assertThat(told.body().at("/costs").findValuesAsText("stores"))
          .containsExactly("7000", "7000", "5000", "5000");
      assertThat(told.body().at("/costs").findValuesAsText("exits"))
          .containsExactly("1000", "1000", "5000", "5000");
      assertThat(told.body().at("/lacking").findValuesAsText("unreachable"))
          .containsExactly("0", "160");
    }
  }
}
