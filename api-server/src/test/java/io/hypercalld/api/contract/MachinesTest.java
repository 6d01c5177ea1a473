package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Many machines in one daemon: each is the whole API, and none sees another. */
final class MachinesTest {
  private static final String LAB = "/v1/machines/lab";
  private static final String DOMAIN = "{\"name\":\"guest\",\"type\":\"hvm\",\"memory\":\"16MiB\"}";

  private final ServedMachine served = new ServedMachine();

  @AfterEach
  void close() {
    served.close();
  }

  private ServedMachine.Answer create(String body) {
    return served.post("/v1/machines", body.replace('\'', '"'));
  }

  @Test
  void create_isThereWithItsPlatformAndLinks() {
    var made = create("{'name':'lab','platform':'four-nics','memory':'8GiB'}");

    assertThat(made.status()).isEqualTo(201);
    assertThat(made.header("Location")).isEqualTo(LAB);
    assertThat(made.at("/platform")).isEqualTo("four-nics");
    assertThat(made.json().at("/memoryBytes").asLong()).isEqualTo(8L << 30);
    assertThat(served.get(made.at("/links/api")).at("/links/domains")).isEqualTo(LAB + "/domains");
    assertThat(served.get(LAB + "/machine").at("/platform/name")).isEqualTo("four-nics");
    assertThat(served.get("/v1/machine").at("/platform/name")).isEqualTo("two-socket");
    assertThat(served.get("/v1/machines").json().at("/items").findValuesAsText("name"))
        .containsExactly("default", "lab");
  }

  @Test
  void changes_stayInTheirMachine() {
    create("{'name':'lab'}");
    String untouched = served.digest();
    assertThat(served.get(LAB + "/_sim/digest").at("/digest")).isEqualTo(untouched);

    var made = served.post(LAB + "/domains", DOMAIN);

    assertThat(made.status()).isEqualTo(201);
    assertThat(made.header("Location")).isEqualTo(LAB + "/domains/1");
    assertThat(served.get(made.header("Location")).at("/name")).isEqualTo("guest");
    assertThat(served.get("/v1/domains/1").status()).isEqualTo(404);
    assertThat(served.digest()).isEqualTo(untouched);
    assertThat(served.get(LAB + "/_sim/digest").at("/digest")).isNotEqualTo(untouched);
  }

  @Test
  void defaultMachine_hasANameToo_andCannotBeDeleted() {
    served.post("/v1/machines/default/domains", DOMAIN);
    var refused = served.delete("/v1/machines/default");

    assertThat(served.get("/v1/domains/1").at("/name")).isEqualTo("guest");
    assertThat(refused.status()).isEqualTo(403);
    assertThat(refused.at("/errno")).isEqualTo("EPERM");
    assertThat(refused.at("/hint")).contains("/_sim/reset");
  }

  @Test
  void delete_theNameIsFreeAgain() {
    create("{'name':'lab'}");
    served.post(LAB + "/domains", DOMAIN);

    assertThat(served.delete(LAB).status()).isEqualTo(204);
    assertThat(served.get(LAB + "/domains").status()).isEqualTo(404);
    assertThat(served.delete(LAB).at("/errno")).isEqualTo("ENOENT");
    assertThat(create("{'name':'lab'}").status()).isEqualTo(201);
    assertThat(served.get(LAB + "/domains/1").status()).isEqualTo(404);
  }

  @Test
  void create_nameTaken_is409() {
    create("{'name':'lab'}");

    assertThat(create("{'name':'lab'}").at("/errno")).isEqualTo("EEXIST");
    assertThat(create("{'name':'default'}").status()).isEqualTo(409);
  }

  @Test
  void create_unknownPlatform_is422AndNamesTheNearest() {
    var refused = create("{'name':'lab','platform':'two-sockets'}");

    assertThat(refused.status()).isEqualTo(422);
    assertThat(refused.at("/errno")).isEqualTo("EINVAL");
    assertThat(refused.at("/pointer")).isEqualTo("/platform");
    assertThat(refused.at("/hint")).isEqualTo("did you mean two-socket?");
    assertThat(served.get("/v1/machines").json().at("/items")).hasSize(1);
  }

  @Test
  void create_fileAsPlatform_isNotRead() {
    assertThat(create("{'name':'lab','platform':'/etc/passwd'}").status()).isEqualTo(422);
  }

  @Test
  void create_nameThatIsNone_is400() {
    for (String name : new String[] {"", "a/b", "..", "a b"}) {
      var refused = create("{'name':'%s'}".formatted(name));

      assertThat(refused.status()).as(name).isEqualTo(400);
      assertThat(refused.at("/pointer")).isEqualTo("/name");
    }
  }

  @Test
  void create_policies_countMoreThanTheDaemonsOwn() {
    create("{'name':'lab','policies':{'domainIds':'verbatim'}}");

    assertThat(served.get(LAB + "/machine").at("/policies/domainIds")).isEqualTo("verbatim");
    served.post(LAB + "/_sim/reset", "{}");
    assertThat(served.get(LAB + "/machine").at("/policies/domainIds")).isEqualTo("verbatim");
    assertThat(served.get("/v1/machine").at("/policies/domainIds")).isEqualTo("per-unit");
  }

  @Test
  void path_withTheSecondVersion_isTheSame() {
    create("{'name':'lab'}");

    for (String path : new String[] {"/v1/machine", "/_sim/invariants", "/health/ready"}) {
      assertThat(served.get(LAB + path).status()).as(path).isEqualTo(200);
    }
    assertThat(served.get(LAB + "/v1").at("/links/machine")).isEqualTo(LAB + "/machine");
  }

  @Test
  void path_thatNamesNoMachine_is404WithTheNearest() {
    create("{'name':'lab'}");
    var unknown = served.get("/v1/machines/lob/domains");

    assertThat(unknown.status()).isEqualTo(404);
    assertThat(unknown.at("/hint")).isEqualTo("did you mean lab?");
    assertThat(served.get(LAB + "/machines").at("/type")).isEqualTo("/problems/unknown-path");
    assertThat(served.get(LAB + "/v1/machines/lab").status()).isEqualTo(404);
  }

  @Test
  void metrics_ofAMachine_areItsOwnAndNameNoMachine() {
    create("{'name':'lab'}");
    served.post(LAB + "/domains", DOMAIN);

    String own = served.get(LAB + "/metrics").text();
    assertThat(own).contains("hv_domains_created_total 2").doesNotContain("jvm_", "machine=");
    assertThat(served.get("/metrics").text()).contains("hv_domains_created_total 1", "jvm_");
  }

  @Test
  void snapshots_ofAMachine_areItsOwn() {
    create("{'name':'lab'}");
    var taken = served.post(LAB + "/_sim/snapshots", "{\"name\":\"empty\"}");

    assertThat(taken.header("Location")).isEqualTo(LAB + "/_sim/snapshots/empty");
    assertThat(served.get(taken.header("Location")).status()).isEqualTo(200);
    assertThat(served.get("/_sim/snapshots/empty").status()).isEqualTo(404);
  }
}
