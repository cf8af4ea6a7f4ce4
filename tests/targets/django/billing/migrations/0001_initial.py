from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            name="Holding",
            fields=[
                ("stripe_id", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("operation", models.CharField(max_length=40)),
                ("tenant", models.CharField(max_length=40)),
            ],
        ),
        migrations.CreateModel(
            name="Access",
            fields=[
                ("subscription", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("customer", models.CharField(max_length=255)),
                ("status", models.CharField(max_length=40)),
            ],
        ),
    ]
