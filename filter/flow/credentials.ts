import { scratch } from '../bytes/arena';
import { NONE } from '../bytes/span';
import { CredentialKind } from '../model/credentials';
import { Server } from '../model/server';
import { chosenOption } from '../policy/chosen-credentials';
import { forgetToken } from '../session/exchanged-tokens';
import { subjectIn } from '../session/identity';
import { credentialScope } from '../upstream/credentials';
import { FanOut } from '../federation/fanout';
import { UpstreamCall } from '../upstream/call';
import { Exchange, Outcome } from './exchange';

/**
 * Which of several credentials each server is sent for a request. From here on the request's gateway has each server as it
 * is with that credential, fingerprint included: so sessions, lists and all else that is kept of a server are shared among
 * those alone who have the same.
 */
export function chooseCredentials(exchange: Exchange): void {
  if (exchange.gateway.variants === null) return;
  const gateway = exchange.gateway.copied(exchange.arena);
  const caller = exchange.caller;
  for (let i = 0; i < gateway.servers.count; i++) {
    const choice = gateway.serverAt(i).credentials.choice;
    if (choice === null) continue;
    // One of several values may be the client's own.
    const header = choice.trustedHeader;
    const value = header === NONE ? NONE : subjectIn(exchange.request.pairs, header, scratch);
    const option = chosenOption(choice, caller.answers, caller.scope, value);
    gateway.servers.set(i, changetype<usize>(option.server) as u64);
  }
  exchange.gateway = gateway;
}

/** Whether nothing may be sent to a server for this request, as there is no credential for it. */
export function isRefused(server: Server): bool {
  return server.credentials.kind === CredentialKind.Refused;
}

/** Answers a request that is for such a server. */
export function refuseCredential(exchange: Exchange, server: Server): Outcome {
  return exchange.refuse(server.credentials.refusal, server.credentials.detail, server.name);
}

/** Ends the call to such a server before it has begun. */
export function failForCredential(fanOut: FanOut, call: UpstreamCall): void {
  const credentials = call.server.credentials;
  call.failure.set(credentials.refusal, credentials.detail);
  fanOut.finish(call);
}

/** An exchanged token that its server has refused may have been taken back: the next request gets another one. */
export function forgetRefusedToken(exchange: Exchange, server: Server): void {
  if (server.credentials.exchange === null) return;
  const keys = exchange.gateway.keys;
  const scope = credentialScope(server.credentials, exchange.request.pairs, keys, scratch);
  forgetToken(scope, server.fingerprint, keys, scratch);
}
