package example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hypercalld.api.RunningDaemon;
import io.hypercalld.api.fixture.HypercalldTest;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.iommu.hypercall.AssignDevice;
import io.hypercalld.iommu.pci.Sbdf;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.Test;

/** Every test has a machine of its own. */
final class AssignmentTest {
  private static final Sbdf NIC = Sbdf.parse("0000:03:10.0");

  @Test
  void assignment_toNobody_isRefusedAsXenDoes(@HypercalldTest Machine machine) {
    Outcome outcome = machine.call(DomainId.DOM0, new AssignDevice(new DomainId(7), NIC, 0, 0));

    assertEquals(-3, outcome.ret());
  }

  @Test
  void client_createsADomain(@HypercalldTest(platform = "four-nics") RunningDaemon daemon)
      throws Exception {
    HttpRequest create =
        HttpRequest.newBuilder(URI.create(daemon.url() + "/v1/domains"))
            .POST(HttpRequest.BodyPublishers.ofString("{\"name\":\"web\",\"memory\":\"64MiB\"}"))
            .build();
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpResponse<String> answer = client.send(create, BodyHandlers.ofString());

      assertEquals(201, answer.statusCode());
      assertTrue(answer.body().contains("\"domid\":1"));
    }
  }
}
