package io.hypercalld.api;

import io.hypercalld.api.cli.InvalidSetting;
import io.hypercalld.api.json.Spelling;
import io.hypercalld.api.rest.Access.Credential;
import io.hypercalld.api.rest.Grant;
import io.hypercalld.api.rest.Machines;
import io.hypercalld.api.rest.Scope;
import io.hypercalld.core.domain.DomainId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads a file of tokens. Never instantiated.
 *
 * <pre>
 * # token                scope     and what it is bound to
 * 3f9c2a7be1d04c58       control
 * 77aa01c9d2e4b6f8       read      machine=lab
 * 0c5d8e1f2a3b4c6d       guest     caller=3
 * 9e8d7c6b5a493827       dm        target=3 caller=2
 * </pre>
 *
 * A token alone has the scope control. {@code caller} is the domain on whose behalf hypercalls are
 * made: dom0 where it is left out, which a guest's may not be. A token for a guest or a device
 * model is good for one machine, the default one where no other is named.
 */
final class Tokens {
  private static final int SHORTEST = 16;
  private static final List<String> BINDINGS = List.of("caller", "target", "machine");

  private final Path file;
  private final int line;

  private Tokens(Path file, int line) {
    this.file = file;
    this.line = line;
  }

  /**
   * The tokens in a file; none where there is no file.
   *
   * @throws InvalidSetting where one could not keep anybody out, or means nothing
   */
  static List<Credential> read(Optional<Path> file) {
    return file.map(Tokens::read).orElse(List.of());
  }

  private static List<Credential> read(Path file) {
    Map<String, Credential> credentials = new LinkedHashMap<>();
    List<String> lines = lines(file);
    for (int i = 0; i < lines.size(); i++) {
      String text = lines.get(i).strip();
      if (!text.isEmpty() && !text.startsWith("#")) {
        Tokens place = new Tokens(file, i + 1);
        Credential credential = place.credential(List.of(text.split("\\s+")));
        if (credentials.put(credential.token(), credential) != null) {
          throw place.wrong("the token was there before");
        }
      }
    }
    if (credentials.isEmpty()) {
      throw InvalidSetting.of("--token-file: %s holds no token", file);
    }
    return new ArrayList<>(credentials.values());
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      throw InvalidSetting.of("--token-file: %s cannot be read", file);
    }
  }

  private InvalidSetting wrong(String why) {
    return InvalidSetting.of("--token-file: %s line %d: %s", file, line, why);
  }

  private Credential credential(List<String> words) {
    String token = words.getFirst();
    if (token.length() < SHORTEST || !token.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
      throw wrong("a token has at least %d visible characters".formatted(SHORTEST));
    }
    Scope scope = words.size() > 1 ? scope(words.get(1)) : Scope.CONTROL;
    Map<String, String> bindings = new LinkedHashMap<>();
    words.stream().skip(2).forEach(word -> bind(word, bindings));
    return new Credential(token, grant(scope, bindings));
  }

  private Scope scope(String word) {
    List<String> names = Arrays.stream(Scope.values()).map(Scope::toString).toList();
    return Arrays.stream(Scope.values())
        .filter(scope -> scope.toString().equals(word))
        .findFirst()
        .orElseThrow(() -> wrong("%s is no scope%s".formatted(word, Spelling.hint(word, names))));
  }

  private void bind(String word, Map<String, String> bindings) {
    String[] parts = word.split("=", 2);
    if (parts.length < 2 || !BINDINGS.contains(parts[0])) {
      String hint = Spelling.hint(parts[0], BINDINGS);
      throw wrong("%s is none of caller=, target=, machine=%s".formatted(parts[0], hint));
    }
    if (bindings.put(parts[0], parts[1]) != null) {
      throw wrong("%s is there twice".formatted(parts[0]));
    }
  }

  private Grant grant(Scope scope, Map<String, String> bindings) {
    Optional<DomainId> caller = domain(bindings, "caller");
    Optional<DomainId> target = domain(bindings, "target");
    if (scope == Scope.GUEST && caller.filter(id -> !id.equals(DomainId.DOM0)).isEmpty()) {
      throw wrong("a guest's token names its domain: caller=N, from 1 on");
    }
    if ((scope == Scope.DM) != target.isPresent()) {
      throw wrong(
          scope == Scope.DM
              ? "a device model's token names whom it serves: target=N"
              : "only a device model's token has a target");
    }
    boolean everywhere = scope == Scope.READ || scope == Scope.CONTROL;
    Optional<String> machine =
        Optional.ofNullable(bindings.get("machine"))
            .or(() -> everywhere ? Optional.empty() : Optional.of(Machines.DEFAULT));
    return new Grant(scope, caller.orElse(DomainId.DOM0), target, machine);
  }

  private Optional<DomainId> domain(Map<String, String> bindings, String name) {
    return Optional.ofNullable(bindings.get(name))
        .map(
            text -> {
              if (!text.matches("[0-9]{1,5}") || Integer.parseInt(text) >= DomainId.SELF.value()) {
                throw wrong("%s=%s is no domain's number".formatted(name, text));
              }
              return new DomainId(Integer.parseInt(text));
            });
  }
}
