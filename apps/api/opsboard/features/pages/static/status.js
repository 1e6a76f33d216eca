// The page a customer sees: moments in their own time zone; the page is whole without this.

const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short" });

for (const element of document.querySelectorAll("time[datetime*=T]")) {
  element.textContent = moment.format(new Date(element.dateTime));
}
