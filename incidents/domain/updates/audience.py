"""Who is affected by an incident: the customers who are mailed, and the components of the status page."""

from incidents.domain.config.model import RunbookConfig
from incidents.domain.customers.config import Inform
from incidents.domain.incident.incident import Incident
from incidents.domain.recipients import CustomerNamed, ListedCustomers, Recipient, staff


def customer_recipients(incident: Incident, runbook: RunbookConfig) -> tuple[Recipient, ...]:
    """Return the customers that an update of now is mailed to (behaviour 101); none if it is private.

    The affected ones, and with `inform: all` also `emails`; in a complete outage everyone is affected. Once it is over,
    everyone who got an earlier update gets the last one, too.
    """
    if incident.private:
        return ()
    everyone = everyone_is_informed(incident, runbook) or (incident.over and incident.customers.mailed_all)
    told = incident.customers.mailed if incident.over else ()
    named = dict.fromkeys((*affected_customers(incident), *told))
    listed = (ListedCustomers(),) if everyone and runbook.customers.listed else ()
    return (*listed, *(CustomerNamed(name=name) for name in named))


def everyone_is_informed(incident: Incident, runbook: RunbookConfig) -> bool:
    """Tell whether all customers hear of the incident: by `inform: all`, or because its outage is complete."""
    outage = incident.assessment is not None and incident.assessment.complete_outage
    return runbook.customers.inform is Inform.ALL or outage


def affected_customers(incident: Incident) -> tuple[str, ...]:
    """Return the customers that the assessment names."""
    return incident.assessment.customers if incident.assessment else ()


def record_mailed(incident: Incident, runbook: RunbookConfig) -> Incident:
    """Remember which customers an update of now is mailed to, by name."""
    if incident.private:
        return incident
    customers = incident.customers
    mailed = tuple(dict.fromkeys((*customers.mailed, *affected_customers(incident))))
    everyone = everyone_is_informed(incident, runbook) and runbook.customers.listed
    return incident.replace(customers=customers.replace(mailed=mailed, mailed_all=customers.mailed_all or everyone))


def mail_recipients(incident: Incident, runbook: RunbookConfig) -> tuple[Recipient, ...]:
    """Return the recipients of an update sent now: stakeholders and customers."""
    inside = (runbook.contacts[name].email or "" for name in runbook.people.stakeholders)
    return (*staff(address for address in inside if address), *customer_recipients(incident, runbook))


def affected_services(incident: Incident, runbook: RunbookConfig) -> tuple[str, ...]:
    """Return the names of the affected services: the incident's own, and those that the assessment names."""
    named = incident.assessment.services if incident.assessment else ()
    return tuple(dict.fromkeys((incident.service, *(service_name(name, runbook) or name for name in named))))


def service_name(word: str, runbook: RunbookConfig) -> str | None:
    """Return the service that a responder means by its name or public name; None if runbook.yaml has none."""
    typed = word.strip().casefold()
    known = (s.name for s in runbook.services if typed in (s.name.casefold(), s.public_name.casefold()))
    return next(known, None)


def affected_components(incident: Incident, runbook: RunbookConfig) -> tuple[str, ...]:
    """Return the components, at a vendor's page, of the affected services in the affected regions."""
    components = runbook.status_page.components
    regions = affected_regions(incident, runbook) or tuple(region.name for region in runbook.regions)
    services = affected_services(incident, runbook)
    keys = (key for name in services for key in (name, *(f"{name}/{region}" for region in regions)))
    return tuple(dict.fromkeys(components[key] for key in keys if key in components))


def affected_regions(incident: Incident, runbook: RunbookConfig) -> tuple[str, ...]:
    """Return the names of the regions that its alerts name; none if that is not known of every alert: all may be."""
    if incident.assessment is not None and incident.assessment.complete_outage:
        return ()
    named = {alert.region for alert in incident.alerting.alerts}
    known = tuple(region.name for region in runbook.regions if region.name in named)
    return known if len(known) == len(named) else ()


def unknown_names(customers: tuple[str, ...], services: tuple[str, ...], runbook: RunbookConfig) -> str:
    """Return what of an assessment runbook.yaml does not know, and what follows from that; "" if nothing."""
    known_customers = {name.strip().casefold() for name in runbook.customers.names}
    strangers = [name for name in customers if name.strip().casefold() not in known_customers]
    unknown = [name for name in services if service_name(name, runbook) is None]
    said = []
    if strangers:
        said.append(f"no e-mail address in runbook.yaml: {', '.join(strangers)}")
    if unknown:
        known = ", ".join(service.name for service in runbook.services) or "none"
        said.append(f"no such service: {', '.join(unknown)}, runbook.yaml has {known}")
    return "; ".join(said)
