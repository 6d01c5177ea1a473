package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;

/** Policies that are chosen at the start hold from the start. */
class StartPoliciesTest {
  @Test
  void policies_onTheCommandLine_areTheMachines() {
    try (ServedMachine machine =
        new ServedMachine(
            "--domain-ids", "global", "--quarantine", "scratch-page", "--profile", "fixed")) {
      JsonNode policies = machine.get("/v1/machine").json().get("policies");

      assertThat(policies.get("domainIds").asText()).isEqualTo("global");
      assertThat(policies.get("quarantine").asText()).isEqualTo("scratch-page");
      assertThat(policies.get("profile").asText()).isEqualTo("fixed");
      assertThat(machine.get("/v1/iommus/3/domain-ids").json().at("/items/0/domainId").asInt())
          .isEqualTo(1);
      assertThat(machine.get("/_sim/invariants").json().get("violations")).isEmpty();
    }
  }
}
