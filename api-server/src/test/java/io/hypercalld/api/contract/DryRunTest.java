package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.contract.ServedMachine.Answer;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code dryRun=true}: the same checks, what would come of it, and nothing changed. */
class DryRunTest {
  private final ServedMachine machine = new ServedMachine();

  @BeforeEach
  void guestWithADevice() {
    machine.post("/_sim/snapshots", "{\"name\":\"kept\"}");
    machine.post("/v1/machines", "{\"name\":\"spare\"}");
    machine.post("/v1/domains", "{\"memory\":\"64MiB\"}");
    machine.put("/v1/devices/03:10.0/assignment", "{\"domain\":1}");
  }

  @AfterEach
  void stop() {
    machine.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          POST   | /v1/domains                        | {'name':'web','memory':'4MiB'}       | 201 | /v1/domains/2
          DELETE | /v1/domains/1                      |                                      | 204 | /v1/domains/1
          PUT    | /v1/devices/03:10.1/assignment     | {'domain':1}                         | 200 | /v1/devices/0000:03:10.1
          DELETE | /v1/devices/03:10.0/assignment     |                                      | 204 | /v1/iommus/0/context-entries/0x380
          POST   | /v1/hypercalls/memory_op/decrease_reservation | {'domid':1,'extent_start':['0x5'],'extent_order':0} | 200 | /v1/domains/1/p2m/0x0
          POST   | /v1/hypercalls/domctl/max_mem      | {'domain':1,'max_memkb':131072}      | 200 | /v1/domains/1
          POST   | /v1/domains/1/actions/unpause      |                                      | 200 | /v1/domains/1
          POST   | /_sim/reset                        |                                      | 200 | /v1/domains/1
          POST   | /_sim/snapshots                    | {'name':'x'}                         | 201 | /_sim/snapshots/x
          DELETE | /_sim/snapshots/kept               |                                      | 204 | /_sim/snapshots/kept
          POST   | /_sim/snapshots/kept/restore       |                                      | 200 | /v1/domains/1
          POST   | /v1/machines                       | {'name':'lab'}                       | 201 | /v1/machines/lab
          DELETE | /v1/machines/spare                 |                                      | 204 | /v1/machines/spare
          """)
  void change_isToldWithItsEffect_andNotMade(
      String method, String path, String body, int status, String changed) {
    String before = machine.digest();

    Answer tried =
        machine.send(method, path + "?dryRun=true", body == null ? "" : body.replace('\'', '"'));

    assertThat(tried.status()).isEqualTo(200);
    JsonNode told = tried.json();
    assertThat(told.get("dryRun").asBoolean()).isTrue();
    assertThat(told.get("status").asInt()).isEqualTo(status);
    assertThat(told.get("effect").findValuesAsText("resource")).contains(changed);
    assertThat(machine.digest()).isEqualTo(before);
    assertThat(names("/_sim/snapshots")).containsExactly("kept");
    assertThat(names("/v1/machines")).containsExactly("default", "spare");
  }

  private List<String> names(String list) {
    return machine.get(list).json().get("items").findValuesAsText("name");
  }

  @Test
  void answer_isTheOneThatTheChangeThenGets() {
    String create = "{\"name\":\"web\",\"memory\":\"4MiB\"}";

    JsonNode told = machine.post("/v1/domains?dryRun=true", create).json().get("answer");

    assertThat(machine.post("/v1/domains", create).json()).isEqualTo(told);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          PUT    | /v1/devices/03:10.0/assignment    | {'domain':0}         | 422
          PUT    | /v1/devices/03:10.0/assignment    | {'domain':9}         | 404
          POST   | /v1/domains                       | {'memory':'1000GiB'} | 507
          POST   | /v1/domains                       | {'memry':'1GiB'}     | 400
          POST   | /v1/hypercalls/domctl/pausedomain | {'domain':9}         | 404
          POST   | /_sim/snapshots                   | {'name':'kept'}      | 409
          POST   | /_sim/snapshots                   | {'name':'/'}         | 400
          DELETE | /_sim/snapshots/none              | {}                   | 404
          POST   | /v1/machines                      | {'name':'spare'}     | 409
          POST   | /v1/machines                      | {'name':'a','platform':'b'} | 422
          DELETE | /v1/machines/default              | {}                   | 403
          POST   | /_sim/import                      | {}                   | 400
          """)
  void refusal_isTheOneOfTheChange(String method, String path, String body, int status) {
    String before = machine.digest();

    Answer tried = machine.send(method, path + "?dryRun=true", body.replace('\'', '"'));
    Answer made = machine.send(method, path, body.replace('\'', '"'));

    assertThat(made.status()).isEqualTo(status);
    assertThat(tried.status()).isEqualTo(status);
    assertThat(tried.at("/type")).isEqualTo(made.at("/type"));
    assertThat(tried.at("/detail")).isEqualTo(made.at("/detail"));
    assertThat(machine.digest()).isEqualTo(before);
  }
}
