package io.hypercalld.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.api.cli.InvalidSetting;
import io.hypercalld.api.rest.Access.Credential;
import io.hypercalld.api.rest.Grant;
import io.hypercalld.api.rest.Scope;
import io.hypercalld.core.domain.DomainId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TokensTest {
  private static final String TOKEN = "0123456789abcdef";

  @TempDir private Path scratch;

  private List<Credential> read(String text) {
    try {
      return Tokens.read(Optional.of(Files.writeString(scratch.resolve("tokens"), text)));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private Grant grant(String rest) {
    return read(TOKEN + " " + rest).getFirst().grant();
  }

  @Test
  void read_tokenAlone_isForEverything() {
    assertThat(read(TOKEN + "\n")).containsExactly(new Credential(TOKEN, Grant.EVERYTHING));
  }

  @Test
  void read_scopesAndBindings_areUnderstood() {
    assertThat(grant("read"))
        .isEqualTo(new Grant(Scope.READ, DomainId.DOM0, Optional.empty(), Optional.empty()));
    assertThat(grant("guest caller=3"))
        .isEqualTo(
            new Grant(Scope.GUEST, new DomainId(3), Optional.empty(), Optional.of("default")));
    assertThat(grant("dm target=3 caller=2 machine=lab"))
        .isEqualTo(
            new Grant(Scope.DM, new DomainId(2), Optional.of(new DomainId(3)), Optional.of("lab")));
  }

  @Test
  void read_commentsAndBlankLines_areNone() {
    assertThat(read("# ours\n\n  " + TOKEN + " control\nfedcba9876543210 read\n")).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "short control|line 1: a token has at least 16 visible characters",
        "0123456789abcdef raed|line 1: raed is no scope, did you mean read?",
        "0123456789abcdef guest|line 1: a guest's token names its domain: caller=N, from 1 on",
        "0123456789abcdef guest caller=0|line 1: a guest's token names its domain",
        "0123456789abcdef dm|line 1: a device model's token names whom it serves: target=N",
        "0123456789abcdef read target=3|line 1: only a device model's token has a target",
        "0123456789abcdef guest caller=x|line 1: caller=x is no domain's number",
        "0123456789abcdef read cller=1|line 1: cller is none of caller=, target=, machine=, did",
        "0123456789abcdef dm target=1 target=2|line 1: target is there twice",
        "#|holds no token",
      })
  void read_whatMeansNothing_isSaidWithItsPlaceAndWithoutTheToken(String text, String message) {
    assertThatThrownBy(() -> read(text))
        .isInstanceOf(InvalidSetting.class)
        .hasMessageContaining(message)
        .hasMessageContaining("--token-file")
        .hasMessageNotContaining(TOKEN);
  }

  @Test
  void read_tokenTwice_isRefused() {
    assertThatThrownBy(() -> read(TOKEN + " read\n" + TOKEN + " control\n"))
        .hasMessageContaining("line 2: the token was there before");
  }
}
