package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.contract.ServedMachine.Answer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What guests' instructions do to memory, over HTTP. */
final class GuestAccessResourceTest {
  private static final String ACCESS = "/v1/domains/guest/vcpus/0/access";

  private static ServedMachine machine;

  @BeforeAll
  static void serve() {
    machine = new ServedMachine();
    machine.post(
        "/v1/domains", "{\"name\":\"guest\",\"type\":\"hvm\",\"memory\":\"4MiB\",\"vcpus\":1}");
  }

  @AfterAll
  static void stop() {
    machine.close();
  }

  @Test
  void access_writeAndAdd_areReadBack() {
    Answer written = access("{'gpa':'0x1ffe','op':'write','size':4,'data':'0x11223344'}");
    Answer added = access("{'gpa':'0x1ffe','op':'add','size':2,'data':1}");
    Answer read = access("{'gpa':'0x1ffe','op':'read','size':8}");

    assertThat(written.at("/outcome")).isEqualTo("done");
    assertThat(added.at("/data")).isEqualTo("0x3345");
    assertThat(read.at("/data")).isEqualTo("0x11223345");
  }

  @Test
  void access_whereNothingIs_readsOnes() {
    Answer read = access("{'gpa':'0xf0000000','op':'read','size':1}");

    assertThat(read.at("/outcome")).isEqualTo("emulated");
    assertThat(read.at("/data")).isEqualTo("0xff");
  }

  @Test
  void access_thatCannotBe_isRefused() {
    assertThat(access("{'gpa':'0x0','op':'read','size':3}").at("/errno")).isEqualTo("EINVAL");
    assertThat(access("{'gpa':'0x0','op':'write','size':4}").at("/pointer")).isEqualTo("/data");
    assertThat(access("{'gpa':'0x0','op':'read','size':4,'data':1}").status()).isEqualTo(400);
    assertThat(access("{'gpa':'0x0','op':'write','size':1,'data':'0x100'}").at("/errno"))
        .isEqualTo("EINVAL");
    Answer nobody =
        machine.post("/v1/domains/guest/vcpus/7/access", "{\"gpa\":0,\"op\":\"read\",\"size\":1}");
    assertThat(nobody.status()).isEqualTo(404);
    assertThat(nobody.at("/errno")).isEqualTo("ENOENT");
  }

  @Test
  void explainAccess_namesEveryEntryAndTheVerdict() {
    String digest = machine.digest();

    Answer explained = machine.get("/v1/explain/access?domid=guest&gpa=0x1008&access=write");
    Answer hole = machine.get("/v1/explain/access?domid=guest&gpa=0xf0000000&access=read");

    assertThat(explained.at("/verdict")).startsWith("maps to 0x");
    assertThat(explained.at("/steps/0/table")).isEqualTo("p2m");
    assertThat(explained.at("/steps/0/level")).isEqualTo("4");
    assertThat(hole.at("/verdict")).isEqualTo("blocked");
    assertThat(hole.at("/handling")).isEqualTo("emulate");
    assertThat(hole.at("/wouldPassIf")).isNotEmpty();
    assertThat(machine.get("/v1/explain/access?gpa=0x0&access=read").status()).isEqualTo(400);
    assertThat(machine.digest()).isEqualTo(digest);
  }

  private static Answer access(String body) {
    return machine.post(ACCESS, body.replace('\'', '"'));
  }
}
