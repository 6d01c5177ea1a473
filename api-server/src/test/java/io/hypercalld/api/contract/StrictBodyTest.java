package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.contract.ServedMachine.Answer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Bodies are taken strictly, and refused before anything is executed. */
final class StrictBodyTest {
  private static ServedMachine machine;

  @BeforeAll
  static void serve() {
    machine = new ServedMachine();
  }

  @AfterAll
  static void stop() {
    machine.close();
  }

  static Stream<Arguments> malformed() {
    return Stream.of(
        Arguments.of("unknown member", "{'domain':0,'domian':1}", "/domian"),
        Arguments.of("missing member", "{}", "/domain"),
        Arguments.of("string for a number", "{'domain':'0'}", "/domain"),
        Arguments.of("boolean for a number", "{'domain':true}", "/domain"),
        Arguments.of("null for a number", "{'domain':null}", "/domain"),
        Arguments.of("fraction", "{'domain':0.5}", "/domain"),
        Arguments.of("whole fraction", "{'domain':1.0}", "/domain"),
        Arguments.of("exponent", "{'domain':1e0}", "/domain"),
        Arguments.of("negative id", "{'domain':-1}", "/domain"),
        Arguments.of("id of 17 bits", "{'domain':65536}", "/domain"),
        Arguments.of("huge number", "{'domain':99999999999999999999}", "/domain"),
        Arguments.of("duplicate key", "{'domain':0,'domain':0}", "/domain"),
        Arguments.of("trailing bytes", "{'domain':0}x", ""),
        Arguments.of("trailing object", "{'domain':0}{}", ""),
        Arguments.of("array", "[]", ""),
        Arguments.of("scalar", "1", ""),
        Arguments.of("cut off", "{'domain':", ""),
        Arguments.of("form", "domain=0", ""),
        Arguments.of("comment", "/**/{'domain':0}", ""),
        Arguments.of("leading zero", "{'domain':01}", ""),
        Arguments.of("not a number", "{'domain':NaN}", ""));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("malformed")
  void body_malformed_isRefusedWithItsPlace(String what, String body, String pointer) {
    String before = machine.digest();

    Answer answer = machine.call("domctl/getdomaininfo", body);

    assertThat(answer.status()).as(what).isEqualTo(400);
    assertThat(answer.header("content-type")).isEqualTo("application/problem+json");
    assertThat(answer.at("/type")).isEqualTo("/problems/malformed-body");
    assertThat(answer.at("/pointer")).isEqualTo(pointer);
    assertThat(answer.json().at("/errno").isNull()).isTrue();
    assertThat(machine.digest()).isEqualTo(before);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "{'domain':            | at byte 10",
        "{'domain':0           | at byte 11",
        "{'domain':0 'x':1}    | at byte 12",
        "{'domain':0}x         | at byte 12",
        "{'domain' 0}          | at byte 10",
        "domain=0              | at byte 0",
      })
  void body_thatIsNoJson_isToldWhereItBreaksOff(String body, String place) {
    assertThat(machine.call("domctl/getdomaininfo", body).at("/detail")).endsWith(place);
  }

  @Test
  void body_slipOfTheKeyboard_isToldWhatWasMeant() {
    Answer answer = machine.call("domctl/getdomaininfo", "{'domian':0}");

    assertThat(answer.at("/detail")).isEqualTo("unknown member, did you mean domain?");
  }

  @Test
  void body_nestedMember_hasItsWholePointer() {
    Answer answer =
        machine.call(
            "memory_op/populate_physmap", "{'domid':0,'extent_start':['0x1','0x2','zwei']}");

    assertThat(answer.at("/pointer")).isEqualTo("/extent_start/2");
  }

  @Test
  void body_anyContentType_isTakenForJson() {
    for (String type : new String[] {"text/plain", "application/xml", "multipart/form-data"}) {
      Answer answer =
          machine.send(
              "POST",
              "/v1/hypercalls/domctl/getdomaininfo",
              "{\"domain\":0}",
              "Content-Type",
              type);

      assertThat(answer.status()).as(type).isEqualTo(200);
    }
  }

  @Test
  void number_hexOrInteger_isTheSame() {
    Answer hex = machine.call("domctl/max_mem", "{'domain':0,'max_memkb':'0x100000'}");
    Answer integer = machine.call("domctl/max_mem", "{'domain':0,'max_memkb':1048576}");

    assertThat(hex.status()).isEqualTo(200);
    assertThat(integer.text()).isEqualTo(hex.text());
  }

  @Test
  void number_beyondWhatJsonKeepsExact_isRefused() {
    Answer answer = machine.call("domctl/max_mem", "{'domain':0,'max_memkb':9007199254740992}");

    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.at("/pointer")).isEqualTo("/max_memkb");
  }

  @Test
  void multicall_argumentsBeforeTheNames_areReadAsWell() {
    Answer answer =
        machine.call("multicall", "[{'args':{'domain':'x'},'op':'getdomaininfo','call':'domctl'}]");

    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.at("/pointer")).isEqualTo("/0/args/domain");
  }

  @Test
  void multicall_oneMalformedCall_executesNone() {
    String before = machine.digest();

    Answer answer =
        machine.call(
            "multicall",
            "[{'call':'domctl','op':'max_mem','args':{'domain':0,'max_memkb':4096}},"
                + "{'call':'domctl','op':'no_such_op','args':{}}]");

    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.at("/pointer")).isEqualTo("/1/op");
    assertThat(machine.digest()).isEqualTo(before);
  }
}
